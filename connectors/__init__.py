"""One folder for each platform: its words in, our facts out. No rule about points lives here."""
