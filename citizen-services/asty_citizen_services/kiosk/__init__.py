"""The touch screen in the town hall: large targets, a keyboard on the screen, and nothing left behind on it."""
