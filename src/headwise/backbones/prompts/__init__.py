"""How a pair is laid out as one text: templates, their names, chat layouts; no PyTorch."""
