"""What the prompts say, in each language. The pieces of numbers are said as they stand in a number."""

from __future__ import annotations

from bridge.media.prompts import Prompt
from bridge.media.spelling import HUNDRED, MINUTES, ONE_MINUTE

ENGLISH: dict[str, str] = {
    Prompt.GREETING: "Thank you for calling. Please hold the line.",
    Prompt.YOU_ARE_NUMBER: "You are number",
    Prompt.YOU_ARE_NEXT: "You are next.",
    Prompt.ESTIMATED_WAIT: "The estimated waiting time is",
    Prompt.LESS_THAN_A_MINUTE: "less than a minute",
    Prompt.STILL_WAITING: "All lines are busy. Please stay on the line.",
    Prompt.EXIT_HINT: "To stop waiting, press",
    Prompt.NOBODY_AVAILABLE: "Nobody can take your call at the moment.",
    Prompt.CLOSED: "We are closed at the moment.",
    Prompt.QUEUE_FULL: "Too many callers are waiting. Please call again later.",
    Prompt.GOODBYE: "Goodbye.",
    Prompt.PRESS_1: "Press 1 to take the call.",
    Prompt.CALL_FROM: "A call for you.",
    Prompt.CALL_TAKEN: "The call has been taken.",
    Prompt.WELCOME: "Welcome.",
    Prompt.ENTER_NUMBER: "Enter your number, then hash.",
    Prompt.ENTER_PIN: "Enter your PIN, then hash.",
    Prompt.WRONG_PIN: "This PIN is wrong.",
    Prompt.LOCKED: "Too many wrong PINs. Try again later.",
    Prompt.GROUP: "Group",
    Prompt.LOGGED_IN: "You are logged in.",
    Prompt.LOGGED_OUT: "You are logged out.",
    Prompt.PAUSED: "You are paused.",
    Prompt.NOT_PAUSED: "Your pause is over.",
    Prompt.MENU_LOGIN: "Press 1 to log in or out.",
    Prompt.MENU_PAUSE: "Press 2 to pause.",
    Prompt.MENU_GO_ON: "Press 2 to end the pause.",
    Prompt.MENU_WHO: "Press 3 to hear who is in.",
    Prompt.MENU_NEXT_GROUP: "Press 4 for the next group.",
    Prompt.MENU_END: "Press star to hang up.",
    Prompt.MEMBERS_IN: "logged in.",
    Prompt.NOBODY_IN: "Nobody is logged in.",
    Prompt.LAST_ONE_OUT: "Attention: nobody is left in the group.",
    Prompt.NIGHT_ON: "The group is closed now.",
    Prompt.NIGHT_OFF: "The group is open now.",
    Prompt.REFUSED: "You may not do this.",
    Prompt.INVALID: "This is not a valid choice.",
    Prompt.FAILED: "That did not work.",
    HUNDRED: "hundred",
    MINUTES: "minutes",
    ONE_MINUTE: "one minute",
}

GERMAN: dict[str, str] = {
    Prompt.GREETING: "Danke für Ihren Anruf. Bitte warten Sie.",
    Prompt.YOU_ARE_NUMBER: "Sie sind Nummer",
    Prompt.YOU_ARE_NEXT: "Sie sind als Nächstes dran.",
    Prompt.ESTIMATED_WAIT: "Die Wartezeit beträgt etwa",
    Prompt.LESS_THAN_A_MINUTE: "weniger als eine Minute",
    Prompt.STILL_WAITING: "Alle Leitungen sind belegt. Bitte bleiben Sie am Apparat.",
    Prompt.EXIT_HINT: "Um nicht länger zu warten, drücken Sie",
    Prompt.NOBODY_AVAILABLE: "Im Moment kann niemand Ihren Anruf annehmen.",
    Prompt.CLOSED: "Wir sind im Moment nicht da.",
    Prompt.QUEUE_FULL: "Es warten zu viele Anrufer. Bitte rufen Sie später an.",
    Prompt.GOODBYE: "Auf Wiederhören.",
    Prompt.PRESS_1: "Drücken Sie 1, um den Anruf anzunehmen.",
    Prompt.CALL_FROM: "Ein Anruf für Sie.",
    Prompt.CALL_TAKEN: "Der Anruf wurde angenommen.",
    Prompt.WELCOME: "Willkommen.",
    Prompt.ENTER_NUMBER: "Ihre Nummer, dann Raute.",
    Prompt.ENTER_PIN: "Ihre PIN, dann Raute.",
    Prompt.WRONG_PIN: "Diese PIN ist falsch.",
    Prompt.LOCKED: "Zu viele falsche PINs. Bitte später noch einmal.",
    Prompt.GROUP: "Gruppe",
    Prompt.LOGGED_IN: "Sie sind angemeldet.",
    Prompt.LOGGED_OUT: "Sie sind abgemeldet.",
    Prompt.PAUSED: "Sie machen Pause.",
    Prompt.NOT_PAUSED: "Ihre Pause ist vorbei.",
    Prompt.MENU_LOGIN: "Die 1 meldet Sie an oder ab.",
    Prompt.MENU_PAUSE: "Mit der 2 machen Sie Pause.",
    Prompt.MENU_GO_ON: "Mit der 2 beenden Sie die Pause.",
    Prompt.MENU_WHO: "Mit der 3 hören Sie, wer da ist.",
    Prompt.MENU_NEXT_GROUP: "Mit der 4 zur nächsten Gruppe.",
    Prompt.MENU_END: "Mit Stern legen Sie auf.",
    Prompt.MEMBERS_IN: "angemeldet.",
    Prompt.NOBODY_IN: "Niemand ist angemeldet.",
    Prompt.LAST_ONE_OUT: "Achtung: In der Gruppe ist niemand mehr.",
    Prompt.NIGHT_ON: "Die Gruppe ist jetzt geschlossen.",
    Prompt.NIGHT_OFF: "Die Gruppe ist jetzt offen.",
    Prompt.REFUSED: "Das dürfen Sie nicht.",
    Prompt.INVALID: "Diese Wahl gibt es nicht.",
    Prompt.FAILED: "Das ging nicht.",
    HUNDRED: "hundert",
    MINUTES: "Minuten",
    ONE_MINUTE: "eine Minute",
}

_GERMAN_JOINED = ("ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")

TEXTS = {"en": ENGLISH, "de": GERMAN}
VOICES = {"en": ("en-us", "168"), "de": ("de", "168")}
"""The voice of espeak-ng, and words a minute."""


def text_of(piece: str, language: str) -> str:
    """Return what a piece says; that of a number is read from its digits."""
    if piece.endswith("und"):
        return f"{_GERMAN_JOINED[int(piece[0]) - 1]}und"
    return piece if piece.isdigit() else TEXTS[language][piece]
