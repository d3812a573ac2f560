"""One activation shown: its data, its figure, its page, its lines in a terminal.

Everything shown is read from the data (`card_data`), which is the JSON file too.
"""
