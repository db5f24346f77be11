/* virt/guest_map.c: ranges, and that taking memory away disturbs only the CPUs where a vCPU of this VM may be in the guest. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/memory.h"
#include "kernel/interrupt.h"
#include "kernel/percpu.h"
#include "kernel/shootdown.h"
#include "kernel/thread.h"
#include "tests/fake/cpu_insn.h"
#include "tests/fake/hv.h"
#include "tests/fake/kernel_spinlock.h"
#include "virt/guest_map.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define GPA 0x100000ULL
#define LEN (4 * PAGE_SIZE_BYTES)

static struct vm vm;
static struct object memory_of_test;
static uint64_t hit[CPUS_MAX / 64];
static unsigned shootdowns, flags_at_shootdown;
static struct vcpu vcpus[2];
static struct percpu cpus[2];
static struct thread threads[2];

struct memory;
#define MEMORY ((struct memory *)(void *)&memory_of_test)

uint64_t memory_size_bytes(const struct memory *memory)
{
	assert_ptr_equal(memory, MEMORY);
	return LEN;
}

enum memory_kind memory_kind(const struct memory *memory)
{
	assert_ptr_equal(memory, MEMORY);
	return MEMORY_KIND_RAM;
}

struct object *memory_object(struct memory *memory)
{
	assert_ptr_equal(memory, MEMORY);
	return &memory_of_test;
}

enum status memory_run_at(struct memory *memory, uint64_t offset_bytes, struct memory_run *run)
{
	assert_ptr_equal(memory, MEMORY);
	*run = (struct memory_run){.physical = 0x5000000 + offset_bytes, .len_bytes = LEN - offset_bytes};
	return OK;
}

void memory_note_guest(struct memory *memory, const struct vm *seen_by)
{
	assert_ptr_equal(memory, MEMORY);
	assert_ptr_equal(seen_by, &vm);
}

struct thread *thread_current(void)
{
	return NULL;
}

/* Memory that goes away wakes nobody: whoever does not run looks before it does. */
static unsigned wakes, kicks;
void thread_wake(struct thread *thread)
{
	assert_non_null(thread);
	wakes++;
}

struct percpu fake_percpu;
uint64_t fake_cr2, fake_dr6;

static unsigned notifications;
void interrupt_send(uint32_t apic_id, uint32_t vector)
{
	assert_int_equal(apic_id, cpus[1].apic_id);
	assert_int_equal(vector, VECTOR_POSTED);
	notifications++;
}

void thread_kick(struct thread *thread)
{
	assert_non_null(thread);
	kicks++;
}

const struct percpu *thread_runs_on(const struct thread *thread)
{
	const struct percpu *home = atomic_load(&thread->home);

	return atomic_load(&home->current) == thread ? home : NULL;
}

void shootdown_guests(const uint64_t cpu_mask[CPUS_MAX / 64])
{
	shootdowns++;
	memcpy(hit, cpu_mask, sizeof(hit));
	flags_at_shootdown = vcpus[0].pending & vcpus[1].pending;
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	memory_of_test = (struct object){.references = 1, .kind = OBJECT_MEMORY};
	shootdowns = wakes = kicks = notifications = 0;
	fake_hv_reset();
	guest_map_init(&vm.map);
	vm.vcpu_limit = 3;
	for (uint32_t i = 0; i < 2; i++) {
		cpus[i].index = cpus[i].apic_id = 3 + i;
		threads[i].home = &cpus[i];
		vcpus[i].thread_lock = SPINLOCK(RANK_EVENT);
		atomic_store(&vcpus[i].thread, &threads[i]);
		atomic_store(&vm.vcpus[i], &vcpus[i]);
	}
	return 0;
}

static void test_guest_map_remove_disturbs_its_own_cpus(void **state)
{
	uint64_t done = 0;

	(void)state;
	vcpus[0].place = VCPU_BLOCKED;
	vcpus[1].place = VCPU_IN_LOOP;
	cpus[1].current = &threads[1];
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, 0, LEN, 7, &done), OK);
	assert_int_equal(done, LEN);
	assert_int_equal(shootdowns, 0);
	assert_int_equal(memory_of_test.references, 2);
	assert_int_equal(guest_map_remove(&vm, GPA, LEN, &done), OK);
	assert_int_equal(done, LEN);
	assert_int_equal(shootdowns, 1);
	assert_int_equal(hit[0], 1U << 4);
	/* Those who are elsewhere forget before they come back: known before the others are asked. */
	assert_true(flags_at_shootdown & PENDING_FLUSH);
	assert_int_equal(wakes + kicks, 0);
	assert_int_equal(memory_of_test.references, 1);
	assert_int_equal(guest_map_remove(&vm, GPA, LEN, &done), ERR_NOT_FOUND);
	assert_int_equal(fake_lock_ranks, 0);
}

/* A guest that has its memory moved in a loop does not interrupt who runs where its own vCPUs wait for the CPU. */
static void test_guest_map_remove_disturbs_no_other_guest(void **state)
{
	struct thread other = {.home = &cpus[1]};
	uint64_t done = 0;

	(void)state;
	vcpus[0].place = vcpus[1].place = VCPU_IN_LOOP;
	cpus[0].current = NULL;
	cpus[1].current = &other;
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, 0, LEN, 7, &done), OK);
	assert_int_equal(guest_map_remove(&vm, GPA, LEN, &done), OK);
	assert_int_equal(hit[0], 0);
	assert_true(vcpus[0].pending & vcpus[1].pending & PENDING_FLUSH); /* they look before they go on */
}

/* A guest that sends NMIs in a loop disturbs whoever runs on the target's CPU once, until the target has looked. Memory that
 * is gone was told to nobody: it keeps no wake-up away. */
static void test_vcpu_notify_tells_once(void **state)
{
	uint64_t cpu_mask[CPUS_MAX / 64] = {0};

	(void)state;
	vcpus[1].place = VCPU_IN_LOOP;
	vcpu_notify(&vcpus[1], PENDING_NMI);
	vcpu_notify(&vcpus[1], PENDING_NMI);
	vcpu_notify(&vcpus[1], PENDING_KICK);
	assert_int_equal(kicks, 1);
	assert_int_equal(vcpus[1].pending, PENDING_NMI | PENDING_KICK);
	vcpus[0].place = VCPU_BLOCKED;
	vcpu_must_forget(&vcpus[0], cpu_mask);
	assert_int_equal(wakes, 0);
	vcpu_notify(&vcpus[0], PENDING_INTERRUPT);
	vcpu_notify(&vcpus[0], PENDING_INTERRUPT);
	assert_int_equal(wakes, 1);
	assert_int_equal(kicks, 1);
}

/* Where the hardware takes what was posted: it is asked for only where a guest may be running. */
static void test_vcpu_notify_posted_interrupts_guests_only(void **state)
{
	struct vcpu *vcpu = &vcpus[1];

	(void)state;
	vcpu->place = VCPU_IN_LOOP;
	assert_false(vcpu_notify_posted(vcpu)); /* in a mode in which it does not */
	vcpu->takes_posted = true;
	vcpu->place = VCPU_BLOCKED;
	assert_false(vcpu_notify_posted(vcpu));
	vcpu->place = VCPU_OUTSIDE;
	assert_false(vcpu_notify_posted(vcpu));
	assert_int_equal(notifications, 0);
	vcpu->place = VCPU_IN_LOOP;
	assert_true(vcpu_notify_posted(vcpu));
	assert_int_equal(notifications, 1);
	threads[1].home = &fake_percpu; /* it waits for this CPU, and looks before it enters the guest */
	assert_true(vcpu_notify_posted(vcpu));
	assert_int_equal(notifications, 1);
	assert_int_equal(vcpu->pending, 0);
	assert_int_equal(wakes + kicks, 0);
}

static void test_guest_map_add_rejects(void **state)
{
	uint64_t done = 0;

	(void)state;
	assert_int_equal(guest_map_add(&vm, GPA + 1, MEMORY, 0, LEN, 7, &done), ERR_MISALIGNED);
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, 0, LEN, 0, &done), ERR_INVALID);
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, 0, LEN, 8 | RIGHT_READ, &done), ERR_INVALID);
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, 0, 0, 7, &done), ERR_INVALID);
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, PAGE_SIZE_BYTES, LEN, 7, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, -PAGE_SIZE_BYTES, 2 * PAGE_SIZE_BYTES, 7, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_map_add(&vm, 1ULL << 46, MEMORY, 0, LEN, 7, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_map_add(&vm, (1ULL << 46) - PAGE_SIZE_BYTES, MEMORY, 0, LEN, 7, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_map_add(&vm, -PAGE_SIZE_BYTES, MEMORY, 0, LEN, 7, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_map_add(&vm, GPA, MEMORY, 0, LEN, 7, &done), OK);
	assert_int_equal(guest_map_add(&vm, GPA + LEN - PAGE_SIZE_BYTES, MEMORY, 0, LEN, 7, &done), ERR_EXISTS);
	assert_int_equal(memory_of_test.references, 2);
	guest_map_destroy(&vm.map);
	assert_int_equal(memory_of_test.references, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_guest_map_remove_disturbs_its_own_cpus, setup),
		cmocka_unit_test_setup(test_guest_map_remove_disturbs_no_other_guest, setup),
		cmocka_unit_test_setup(test_vcpu_notify_tells_once, setup),
		cmocka_unit_test_setup(test_vcpu_notify_posted_interrupts_guests_only, setup),
		cmocka_unit_test_setup(test_guest_map_add_rejects, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
