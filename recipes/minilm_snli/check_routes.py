"""How often queries written for this purpose take their route, by each way and by the chosen one.

The way is chosen on other requests than those that judge it.
"""

import argparse
from functools import partial

from headwise import EntailmentModel

QUERIES = {
    "code": (
        "Explain the difference between a thread and a process",
        "Fix this SQL query for me",
        "Why does my loop never end?",
        "Convert this JavaScript to TypeScript",
        "What is a segmentation fault?",
    ),
    "factual": (
        "When did the Second World War end?",
        "How many bones does a human have?",
        "What is the boiling point of water?",
        "Which planet is the largest?",
        "Who is the president of France?",
    ),
    "creative": (
        "Invent a name for my fantasy kingdom",
        "Write a haiku about autumn",
        "Make up a joke about cats",
        "Draft the opening of a detective novel",
        "Imagine a dialogue between the sun and the moon",
    ),
    "travel": (
        "Plan a weekend in Rome",
        "How do I get from the airport to the city?",
        "What should I pack for Iceland?",
        "Book a table near the museum on my trip",
        "Is the train to Paris cheaper than flying?",
    ),
}
# On which a way is chosen; none of them is among those above
EXAMPLES = {
    "code": (
        "My unit test fails only on the server",
        "How do I merge two branches in git?",
        "Write a function that checks for palindromes",
        "What does this compiler warning mean?",
        "Rename a column in a data frame",
        "Is a hash map faster than a sorted list?",
    ),
    "factual": (
        "How far away is the moon?",
        "What year did the Berlin Wall fall?",
        "Which language is spoken in Brazil?",
        "How long do elephants live?",
        "Who invented the telephone?",
        "What is the chemical symbol of gold?",
    ),
    "creative": (
        "Come up with a slogan for a bakery",
        "Write a limerick about a clumsy pirate",
        "Describe a city under the ocean for my novel",
        "Give my villain a tragic past",
        "Rewrite this fairy tale as a science fiction story",
        "Compose a birthday toast that rhymes",
    ),
    "travel": (
        "Where can I park a rental car in Florence?",
        "What is the best month to visit Norway?",
        "Suggest a three-day itinerary for Kyoto",
        "Can I take a bicycle on the ferry to Sardinia?",
        "My suitcase did not arrive at the airport",
        "Are there hostels near the beach in Barcelona?",
    ),
}
ROUTES = {
    "one hypothesis": {
        "code": "This is a request about programming",
        "factual": "This is a request for factual information",
        "creative": "This is a request for creative content",
        "travel": "This is a request about travel",
    },
    "three examples": {
        "code": (
            "How do I reverse a list in Python?",
            "My function throws a null pointer exception",
            "Write a regex that matches email addresses",
        ),
        "factual": (
            "What is the capital of Australia?",
            "How tall is Mount Everest?",
            "Who wrote Pride and Prejudice?",
        ),
        "creative": (
            "Write a poem about the sea",
            "Tell me a story about a dragon",
            "Compose lyrics for a love song",
        ),
        "travel": (
            "Find me a flight to Lisbon",
            "Which hotel is close to the station?",
            "Do I need a visa for Japan?",
        ),
    },
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads")
arguments = parser.parse_args()

model = EntailmentModel.from_pretrained(arguments.model, arguments.heads)
asked = [(query, name) for name, queries in QUERIES.items() for query in queries]
examples = [(query, name) for name, queries in EXAMPLES.items() for query in queries]
print("| routes | by | right | none | of |\n| --- | --- | --- | --- | --- |")
for described, routes in ROUTES.items():
    router = model.choose_router(routes, examples)
    for rule, find in {
        "similarity": partial(model.route, routes=routes, by="similarity"),
        "both": partial(model.route, routes=routes, by="both"),
        "entailment": partial(model.route, routes=routes, by="entailment"),
        "entailment, `min_score=0`": partial(
            model.route, routes=routes, by="entailment", min_score=0.0
        ),
        f"chosen: {router.by}, {router.why}": router.route,
    }.items():
        found = [(find(query).route, name) for query, name in asked]
        right = sum(route == name for route, name in found)
        none = sum(route is None for route, _ in found)
        print(f"| {described} | {rule} | {right} | {none} | {len(asked)} |")
