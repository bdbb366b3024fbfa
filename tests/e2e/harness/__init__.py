"""What the end-to-end tests stand on: a real server in a folder of its own, wire clients, mail."""
