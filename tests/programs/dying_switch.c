/* Makes a switch that dies of a frame of type 88B6h, which it has taken from its channel by then. Linked with --wrap=port_take. */
#include "switch/port.h"

#define TYPE_OFFSET 12U

enum status __real_port_take(struct port *port, const struct switch_message *header, struct port_message *message);
enum status __wrap_port_take(struct port *port, const struct switch_message *header, struct port_message *message);

enum status __wrap_port_take(struct port *port, const struct switch_message *header, struct port_message *message)
{
	enum status status = __real_port_take(port, header, message);

	if (status == OK && message->data[TYPE_OFFSET] == 0x88 && message->data[TYPE_OFFSET + 1] == 0xb6)
		__builtin_trap();
	return status;
}
