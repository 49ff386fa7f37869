"""How often queries written for this purpose take their route, by entailment and by similarity."""

import argparse

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
count = sum(map(len, QUERIES.values()))
print("| routes | by | right | none | of |\n| --- | --- | --- | --- | --- |")
for described, routes in ROUTES.items():
    for by, floor in (("entailment", None), ("entailment", 0.0), ("similarity", None)):
        chosen = [
            (model.route(query, routes, by=by, min_score=floor).route, name)
            for name, queries in QUERIES.items()
            for query in queries
        ]
        right = sum(route == name for route, name in chosen)
        none = sum(route is None for route, _ in chosen)
        rule = by if floor is None else f"{by}, `min_score={floor:g}`"
        print(f"| {described} | {rule} | {right} | {none} | {count} |")
