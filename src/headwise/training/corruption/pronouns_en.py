"""English pronouns, and which others are wrong in their place.

*It* is left alone: for a language with grammatical gender it may stand for *he* or *she*.
*They*, *she* and *you* are no errors for each other, nor are *their*, *her* and *your*: other
languages say some of them with one word.
"""

PRONOUNS_EN = {
    "i": ("you", "he", "we"),
    "you": ("I", "we", "he"),
    "he": ("she", "they", "I"),
    "she": ("he", "I", "we"),
    "we": ("they", "I", "you"),
    "they": ("he", "we", "I"),
    "me": ("you", "him", "us"),
    "him": ("her", "them", "me"),
    "us": ("them", "me", "you"),
    "them": ("him", "us", "me"),
    "my": ("your", "his", "our"),
    "your": ("my", "his", "our"),
    "his": ("her", "my", "their"),
    "her": ("his", "my"),
    "our": ("my", "their", "your"),
    "their": ("his", "our", "my"),
    "himself": ("herself", "myself"),
    "herself": ("himself", "myself"),
    "myself": ("himself", "yourself"),
    "themselves": ("himself", "ourselves"),
}
"""Pronouns in lower case, and what each may become."""
