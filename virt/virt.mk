KERNEL_SOURCES += virt/control_registers.c virt/cpuid_policy.c virt/discard.c virt/doorbell.c virt/fpu.c virt/guest_map.c virt/hypercall.c virt/hypervisor.c \
	virt/interrupts.c virt/local_apic.c virt/local_apic_timer.c virt/local_apic_x2apic.c virt/msr_memory_types.c virt/msr_policy.c \
	virt/paravirtual.c virt/posted.c virt/reply.c virt/steal_time.c virt/vcpu.c virt/vcpu_notify.c virt/vcpu_registers.c virt/vcpu_run.c virt/vcpu_sleep.c virt/vm.c virt/vm_slot.c

LOCAL_APIC_SOURCES := virt/local_apic.c virt/local_apic_timer.c virt/local_apic_x2apic.c
UNIT_TESTS += local_apic
test_local_apic_SOURCES := $(LOCAL_APIC_SOURCES)
UNIT_TESTS += local_apic_tables
test_local_apic_tables_SOURCES := $(LOCAL_APIC_SOURCES)
UNIT_TESTS += msr_policy interrupts virt_policies cpuid_policy
test_msr_policy_SOURCES := virt/msr_policy.c virt/msr_memory_types.c virt/control_registers.c tests/fake/hv.c $(LOCAL_APIC_SOURCES)
UNIT_TESTS += vcpu_run
test_vcpu_run_SOURCES := virt/vcpu_run.c virt/vcpu_sleep.c virt/interrupts.c virt/posted.c virt/reply.c tests/fake/hv.c $(LOCAL_APIC_SOURCES)
$(BUILD)/host/virt/vcpu_run.o $(BUILD)/host/virt/vcpu_notify.o: HOST_CFLAGS += -include tests/fake/cpu_insn.h
test_interrupts_SOURCES := virt/interrupts.c virt/posted.c tests/fake/hv.c tests/fake/vcpus.c $(LOCAL_APIC_SOURCES)
UNIT_TESTS += guest_map
test_guest_map_SOURCES := virt/guest_map.c virt/vcpu_notify.c \
	tests/fake/hv.c tests/fake/kernel_spinlock.c tests/fake/kernel_panic.c kernel/object.c tests/fake/kernel_reaper.c
test_virt_policies_SOURCES := virt/control_registers.c virt/reply.c
test_cpuid_policy_SOURCES := virt/cpuid_policy.c virt/paravirtual.c
UNIT_TESTS += hypercall steal_time
test_hypercall_SOURCES := virt/hypercall.c virt/interrupts.c virt/posted.c tests/fake/hv.c tests/fake/vcpus.c $(LOCAL_APIC_SOURCES)
test_steal_time_SOURCES := virt/steal_time.c tests/fake/kernel_spinlock.c tests/fake/kernel_panic.c tests/fake/hv.c
UNIT_TESTS += discard
test_discard_SOURCES := virt/discard.c tests/fake/kernel_spinlock.c tests/fake/kernel_panic.c
UNIT_TESTS += doorbell
test_doorbell_SOURCES := virt/doorbell.c kernel/object.c tests/fake/kernel_reaper.c tests/fake/kernel_spinlock.c tests/fake/kernel_panic.c
