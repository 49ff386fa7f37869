"""Hidden states that servers, engines and files give, and what turns them into scores."""
