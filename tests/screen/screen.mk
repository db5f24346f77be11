# Draws text as the screen does, for the test of the screen reader (tests/screen/test_read_screen.py).
HOST_TOOLS += render_text
tool_render_text_SOURCES = tests/screen/render_text.c $(SCREEN_SOURCES)
