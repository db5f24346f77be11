SCREEN_TEXT_SOURCES := console/screen_text.c console/screen_control.c console/text_grid.c console/utf8.c

UNIT_TESTS += screen_text
test_screen_text_SOURCES := $(SCREEN_TEXT_SOURCES)
FUZZ_TARGETS += screen_text
fuzz_screen_text_SOURCES := $(SCREEN_TEXT_SOURCES)

TERMINAL_SOURCES := console/terminal.c console/plain_text.c console/multiplexer.c
SHELL_SOURCES := console/shell.c console/line_editor.c

UNIT_TESTS += terminal
test_terminal_SOURCES := console/terminal.c console/plain_text.c
UNIT_TESTS += multiplexer
test_multiplexer_SOURCES := $(TERMINAL_SOURCES) lib/base/format.c
UNIT_TESTS += shell
test_shell_SOURCES := $(SHELL_SOURCES) lib/base/format.c
FUZZ_TARGETS += shell
fuzz_shell_SOURCES := $(SHELL_SOURCES) lib/base/format.c

UNIT_TESTS += output_view
test_output_view_SOURCES := console/output_view.c console/terminal.c console/plain_text.c $(SHELL_SOURCES) lib/base/format.c
FUZZ_TARGETS += output_view
fuzz_output_view_SOURCES := $(test_output_view_SOURCES)
UNIT_TESTS += lost_input
test_lost_input_SOURCES := console/lost_input.c lib/base/format.c

SCREEN_SOURCES = console/screen.c drivers/host/framebuffer.c $(SCREEN_TEXT_SOURCES) $(FONT_SOURCES)
UNIT_TESTS += screen
test_screen_SOURCES = $(SCREEN_SOURCES)

CONSOLE_LOGIC_SOURCES = console/console.c console/commands.c console/log_view.c console/output_view.c console/lost_input.c console/manager_link.c lib/channel/channel.c drivers/host/uart.c \
	$(TERMINAL_SOURCES) $(SHELL_SOURCES) $(SCREEN_SOURCES)
UNIT_TESTS += console console_commands
test_console_SOURCES = $(CONSOLE_LOGIC_SOURCES) lib/base/format.c
test_console_commands_SOURCES = $(test_console_SOURCES)

PROGRAMS += console
console_SOURCES = console/main.c $(CONSOLE_LOGIC_SOURCES)
UNIT_TESTS += console_main
test_console_main_SOURCES := console/main.c tests/fake/program.c lib/base/format.c
