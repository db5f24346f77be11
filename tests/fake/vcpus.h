/* The vCPUs of a VM in memory, their local APICs enabled in xAPIC mode, for tests of who gets a message. */
#pragma once
#include <stdint.h>

struct vcpu;
struct vm;

/* Makes count vCPUs of vm, which has room for them. The caller frees them. */
void fake_vcpus_make(struct vm *vm, struct vcpu **vcpus, uint32_t count);
void fake_vcpus_free(struct vcpu **vcpus, uint32_t count);
