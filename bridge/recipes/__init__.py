"""A configuration from a few answers: what `cti-bridge init` asks, and the text that comes of it.

`answers` are the answers as values, each read from one line of text, so that a terminal and a file are asked alike;
`interview` asks a person, `answerfile` reads a file, `text` writes TOML, `place` puts it where it belongs.
"""
