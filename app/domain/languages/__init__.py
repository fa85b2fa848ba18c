"""The messages in every language: one file each, the same keys and places in all. docs/languages.md says how."""
