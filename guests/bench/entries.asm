; Entries of the benchmarks' interrupts. Who waits for one expects RAX, RCX and RDX to change. SDM Vol. 3A, "Handling Interrupts".

bits 64
default rel

global bench_entries, bench_stamp

%define MARK		xchg bx, bx	; tools/bench.py
%define XAPIC_EOI	0xfee000b0
%define MSR_X2APIC_EOI	0x80b
%define MSR_X2APIC_ICR	0x830
%define VECTOR_STAMP	0x40		; BENCH_STAMP
%define VECTOR_STAMP_MARKED 0x41

section .text

stamp_marked:
	MARK
stamp:					; first of all: when
	rdtsc
	mov	[bench_stamp], eax
	mov	[bench_stamp + 4], edx
	xor	eax, eax
	xor	edx, edx
	mov	ecx, MSR_X2APIC_EOI
	wrmsr
	iretq

eoi:					; the vector is in service: the EOI has something to do
	push	rbx
	mov	ecx, XAPIC_EOI
	rdtsc
	mov	ebx, eax
	mov	dword [rcx], 0
	rdtsc
	sub	eax, ebx
	mov	[bench_stamp], rax
	pop	rbx
	iretq

eoi_marked:
	mov	ecx, XAPIC_EOI
	MARK
	mov	dword [rcx], 0
	MARK
	iretq

echo_marked:
	mov	eax, VECTOR_STAMP_MARKED
	jmp	echo_vector
echo:
	mov	eax, VECTOR_STAMP
echo_vector:
	xor	edx, edx			; APIC ID 0
	mov	ecx, MSR_X2APIC_ICR
	wrmsr
	xor	eax, eax
	mov	ecx, MSR_X2APIC_EOI
	wrmsr
	iretq

section .rodata
align 8

; In the order of enum bench_vector.
bench_entries:
	dq	stamp, stamp_marked, eoi, eoi_marked, echo, echo_marked

section .bss
align 8
bench_stamp:	resq	1

section .note.GNU-stack noalloc noexec nowrite progbits
