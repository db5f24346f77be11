/* Sockets between VMs at the guest's shell: an echo and one who asks for it (vsock(7)).
 *
 *     vsock cid                     prints this VM's context identifier
 *     vsock listen PORT [TIMES]     sends back what comes, to one after the other; ends after TIMES connections
 *     vsock send CID PORT BYTES     sends so many bytes and compares what comes back */
#include "guests/linux/program.h"

enum { AF_VSOCK = 40, SOCK_STREAM = 1, SHUT_WR = 1, O_RDONLY = 0 };
enum { IOCTL_VM_SOCKETS_GET_LOCAL_CID = 0x7b9 };
#define CID_ANY UINT32_MAX

/* struct sockaddr_vm of linux/vm_sockets.h */
struct address {
	uint16_t family;
	uint16_t reserved;
	uint32_t port;
	uint32_t cid;
	uint8_t flags;
	uint8_t zero[3];
};
_Static_assert(sizeof(struct address) == 16, "struct sockaddr_vm");

const char program_name[] = "vsock";
static uint8_t sent[65536], received[65536];

static int say_cid(void)
{
	uint32_t cid = 0;
	long file = must("/dev/vsock", SYS_OPEN, (long)"/dev/vsock", O_RDONLY, 0);

	(void)must("own identifier", SYS_IOCTL, file, IOCTL_VM_SOCKETS_GET_LOCAL_CID, (long)&cid);
	say_number(cid);
	say("\n");
	return 0;
}

static void write_all(long socket, const uint8_t *bytes, size_t count)
{
	while (count != 0) {
		long done = must("write", SYS_WRITE, socket, (long)bytes, (long)count);

		bytes += done;
		count -= (size_t)done;
	}
}

static uint64_t echo(long socket)
{
	uint64_t total = 0;

	for (;;) {
		long count = must("read", SYS_READ, socket, (long)received, sizeof(received));

		if (count == 0)
			return total;
		write_all(socket, received, (size_t)count);
		total += (uint64_t)count;
	}
}

static int listen_at(uint32_t port, uint64_t times)
{
	const struct address here = {.family = AF_VSOCK, .port = port, .cid = CID_ANY};
	long listener = must("socket", SYS_SOCKET, AF_VSOCK, SOCK_STREAM, 0);

	(void)must("bind", SYS_BIND, listener, (long)&here, sizeof(here));
	(void)must("listen", SYS_LISTEN, listener, 1, 0);
	say("vsock: listens\n");
	while (times-- != 0) {
		struct address other = {0};
		uint32_t length = sizeof(other);
		long socket = must("accept", SYS_ACCEPT, listener, (long)&other, (long)&length);
		uint64_t count = echo(socket);

		(void)system_call(SYS_CLOSE, socket, 0, 0, 0, 0, 0);
		say("vsock: sent back ");
		say_number(count);
		say(" bytes to ");
		say_number(other.cid);
		say("\n");
	}
	return 0;
}

/* Bytes that neither repeat with a page nor with a packet. */
static void fill(size_t count, uint32_t *state)
{
	for (size_t i = 0; i < count; i++) {
		*state = *state * 1664525U + 1013904223U;
		sent[i] = (uint8_t)(*state >> 24);
	}
}

static void read_all(long socket, size_t count)
{
	for (size_t at = 0; at < count;) {
		long done = must("read", SYS_READ, socket, (long)(received + at), (long)(count - at));

		if (done == 0)
			fail("the other side ended early, bytes missing", (long)(count - at));
		at += (size_t)done;
	}
}

static int send_to(uint32_t cid, uint32_t port, uint64_t bytes)
{
	const struct address there = {.family = AF_VSOCK, .port = port, .cid = cid};
	long socket = must("socket", SYS_SOCKET, AF_VSOCK, SOCK_STREAM, 0);
	uint32_t state = 1;

	(void)must("connect", SYS_CONNECT, socket, (long)&there, sizeof(there));
	for (uint64_t left = bytes; left != 0;) {
		size_t count = left < sizeof(sent) ? (size_t)left : sizeof(sent);

		fill(count, &state);
		write_all(socket, sent, count);
		read_all(socket, count);
		for (size_t i = 0; i < count; i++) {
			if (sent[i] != received[i])
				fail("another byte came back, at", (long)(bytes - left + i));
		}
		left -= count;
	}
	(void)must("shutdown", SYS_SHUTDOWN, socket, SHUT_WR, 0);
	if (must("read", SYS_READ, socket, (long)received, 1) != 0)
		fail("more came back than was sent", 0);
	say("vsock: ");
	say_number(bytes);
	say(" bytes came back equal\n");
	return 0;
}

int program(int count, char **words)
{
	if (count == 2 && same(words[1], "cid"))
		return say_cid();
	if ((count == 3 || count == 4) && same(words[1], "listen"))
		return listen_at((uint32_t)number_of(words[2]), count == 4 ? number_of(words[3]) : UINT64_MAX);
	if (count == 5 && same(words[1], "send"))
		return send_to((uint32_t)number_of(words[2]), (uint32_t)number_of(words[3]), number_of(words[4]));
	say("usage: vsock cid | vsock listen PORT [TIMES] | vsock send CID PORT BYTES\n");
	return 2;
}
