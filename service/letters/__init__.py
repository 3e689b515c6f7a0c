"""The stamped letter of consent: its template, and what is made of whatever comes back.

A letter is rendered and never judged by its bytes: people see the cleaned pages, and nothing else.
"""
