HOST_DRIVER_SOURCES := drivers/host/framebuffer.c drivers/host/uart.c

UNIT_TESTS += framebuffer
test_framebuffer_SOURCES = drivers/host/framebuffer.c $(FONT_SOURCES)
UNIT_TESTS += uart
test_uart_SOURCES := drivers/host/uart.c
