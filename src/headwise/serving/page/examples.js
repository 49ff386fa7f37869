// Texts to begin with. Those to score are of the languages of the bundled model.

export const PAIRS = [
  ["A wrong word", "A dog runs along the beach.", ["Ein Hund läuft am Bahnhof entlang."]],
  ["A wrong number", "She bought three apples at the market.",
    ["Sie hat auf dem Markt sieben Äpfel gekauft."]],
  ["Something missing", "A dog runs along the beach.", ["Ein Hund läuft am entlang."]],
  ["Which is best?", "Two children are playing football in the park.",
    ["Zwei Kinder kaufen im Park Fußball.", "Zwei Kinder spielen im Park Fußball.",
      "Zwei Kinder spielen im Garten Fußball."]],
];

export const CLAIMS = [
  ["A concert", "A man in a red shirt is playing guitar on stage. A crowd is watching him from the "
    + "lawn. It is a warm evening.",
  "A person is making music.\nThe man on stage is asleep.\nThe crowd paid for tickets."],
  ["A kitchen", "Two women are cooking soup in a small kitchen. One of them is cutting carrots. A "
    + "dog is sleeping under the table.",
  "An animal is under the table.\nThe dog is running outside.\nThe soup is for guests.\n"
    + "A woman is cutting meat."],
];

// Buttons that put an example in; `use` takes what stands behind its name.
export function offerExamples(node, examples, use) {
  for (const [name, ...texts] of examples) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => use(...texts));
    node.append(button);
  }
  node.prepend("Try ");
}
