/* Checks on vcpu_reply. Pure. */
#include "virt/reply.h"

#include <stdbool.h>

#define INSTRUCTION_BYTES_MAX 15U
#define EXCEPTIONS            32U
#define VECTOR_NMI            2U

static inline bool completion_ok(const struct vcpu_reply *reply)
{
	if (reply->register_count > VCPU_REPLY_REGISTERS || reply->advance_bytes > INSTRUCTION_BYTES_MAX)
		return false;
	for (uint32_t i = 0; i < reply->register_count; i++) {
		if (reply->registers[i].number >= GPR_COUNT || reply->registers[i].number == GPR_RSP)
			return false;
	}
	return true;
}

bool exception_has_error_code(uint8_t vector)
{
	static const uint32_t with_error_code = 1U << 8 | 1U << 10 | 1U << 11 | 1U << 12 | 1U << 13 | 1U << 14 | 1U << 17 |
						 1U << 21;

	return vector < EXCEPTIONS && (with_error_code >> vector & 1) != 0;
}

/* With an error code just where the vector has one: the entry would fail otherwise. */
static bool injection_ok(const struct vcpu_reply *reply)
{
	return reply->vector < EXCEPTIONS && reply->vector != VECTOR_NMI &&
	       (reply->error_code_valid != 0) == exception_has_error_code((uint8_t)reply->vector);
}

static bool jump_ok(const struct vcpu_reply *reply)
{
	for (uint32_t i = 0; i < reply->register_count && i < VCPU_REPLY_REGISTERS; i++) {
		if (reply->registers[i].number >= GPR_COUNT)
			return false;
	}
	return reply->register_count <= VCPU_REPLY_REGISTERS && reply->advance_bytes == 0;
}

static bool apic_ok(const struct vcpu_reply *reply)
{
	return reply->apic_offset <= 0xff0 && reply->apic_offset % 16 == 0;
}

static inline bool is_ok(const struct vcpu_reply *reply)
{
	/* Two that are behind most exits: */
	if (reply->action == VCPU_REPLY_COMPLETE)
		return completion_ok(reply);
	if (reply->action == VCPU_REPLY_APIC_LOAD)
		return reply->register_count == 1 && completion_ok(reply) && apic_ok(reply);
	switch ((enum vcpu_action)reply->action) {
	case VCPU_REPLY_NONE: return true;
	case VCPU_REPLY_APIC_READ: return apic_ok(reply);
	case VCPU_REPLY_APIC_WRITE: return apic_ok(reply) && completion_ok(reply);
	case VCPU_REPLY_INJECT: return injection_ok(reply);
	case VCPU_REPLY_JUMP: return jump_ok(reply);
	case VCPU_REPLY_EXTINT: return reply->vector < 256;
	case VCPU_REPLY_STOP: return reply->value > VCPU_STOP_NONE && reply->value < VCPU_STOP_REASON_COUNT;
	case VCPU_REPLY_COMPLETE:
	case VCPU_REPLY_APIC_LOAD:
	case VCPU_ACTION_COUNT: break;
	}
	return false; /* any other number too */
}

enum status reply_check(const struct vcpu_reply *reply)
{
	return is_ok(reply) ? OK : ERR_INVALID;
}
