; Header, first instruction and interrupt entries of a flat guest program. Layout: abi/guest_flat.h.

bits 64
default rel

extern guest_main, flat_exception, flat_timer_interrupt, flat_memory_bytes, flat_power_off
global flat_entries, flat_catch

section .header

	db	"BULKFLAT"
	dd	1				; GUEST_FLAT_VERSION
	dd	flat_memory_bytes		; from the linker script

; Entered in 64-bit mode; RDI = struct guest_flat_info, RSP = end of low memory, interrupts off, no IDT.
	xor	ebp, ebp
	and	rsp, -16
	call	guest_main
	call	flat_power_off

section .text

; void flat_exception(uint64_t vector, uint64_t error_code, uint64_t rip); never returns. Where the program catches exceptions,
; what came is noted, and the program goes on at the address it named, with TF and IF clear.
exception_common:
	cmp	qword [flat_catch], 0
	jne	exception_caught
	pop	rdi				; vector
	pop	rsi				; error code
	mov	rdx, [rsp]			; RIP
	and	rsp, -16
	call	flat_exception

exception_caught:				; changes RAX
	pop	rax
	mov	[flat_catch + 8], rax		; vector
	pop	rax
	mov	[flat_catch + 16], rax		; error code
	mov	rax, [flat_catch]
	xchg	rax, [rsp]
	mov	[flat_catch + 24], rax		; RIP
	mov	rax, [rsp + 16]
	mov	[flat_catch + 40], rax		; RFLAGS
	and	qword [rsp + 16], ~0x300
	cmp	qword [flat_catch + 32], 0	; leave NMIs blocked?
	jne	.without_iret
	iretq
.without_iret:
	mov	rax, [rsp]
	mov	rsp, [rsp + 24]
	jmp	rax

%macro exception_entry 1
exception_%1:
	db	0xf3, 0x0f, 0x1e, 0xfa		; ENDBR64
%if %1 != 8 && %1 != 10 && %1 != 11 && %1 != 12 && %1 != 13 && %1 != 14 && %1 != 17 && %1 != 21
	push	0
%endif
	push	%1
	jmp	exception_common
%endmacro

%assign vector 0
%rep 32
	exception_entry vector
%assign vector vector + 1
%endrep

timer_entry:
	push	rax
	push	rcx
	push	rdx
	push	rsi
	push	rdi
	push	r8
	push	r9
	push	r10
	push	r11
	cld
	call	flat_timer_interrupt
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rdx
	pop	rcx
	pop	rax
	iretq

section .rodata
align 8

; Entries by vector: 0 to 31, then FLAT_TIMER_VECTOR.
flat_entries:
%macro entry_address 1
	dq	exception_%1
%endmacro
%assign vector 0
%rep 32
	entry_address vector
%assign vector vector + 1
%endrep
	dq	timer_entry

section .bss
align 8
flat_catch:	resq	6			; struct flat_catch

section .note.GNU-stack noalloc noexec nowrite progbits
