; From 64-bit mode to 32-bit protected mode without paging and to real mode, and back. SDM Vol. 3A, "Switching Out of IA-32e Mode
; Operation", "Switching to Real-Address Mode".

%define MODES_ARE_HERE
%include "tests/guest/lib/modes.inc"

global mode32_call, real_call, record32, caught32, catch32, mode_gdt

MSR_EFER   equ 0xc0000080
EFER_LME   equ 0x100
CR0_PE     equ 0x1
CR0_PG     equ 0x80000000
CR4_PAE    equ 0x20
RECORDS    equ RECORD_SEGMENT * 16
REAL_BASE  equ REAL_SEGMENT * 16
SWITCH     equ 0xa000		; the code that switches to real mode lies here
STACK_TOP  equ 0xfff0

section .text
bits 64
; void mode32_call(void (*code)(void)): runs 32-bit code with flat segments, exceptions caught by try32, interrupts off.
mode32_call:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	pushfq
	cli
	mov	[saved_rsp], rsp
	mov	[code32], edi
	sidt	[saved_idt]
	sgdt	[saved_gdt]
	mov	rax, cr0
	mov	[saved_cr0], eax
	mov	rax, cr3
	mov	[saved_cr3], eax
	mov	rax, cr4
	mov	[saved_cr4], eax
	call	fill_idt32
	lgdt	[mode_gdtr]
	push	SEL_CODE32
	lea	rax, [compatibility]
	push	rax
	o64 retf

; 32 gates, from the entries' addresses.
fill_idt32:
	lea	rsi, [entries32]
	lea	rdi, [idt32]
	mov	ecx, 32
.next:	mov	eax, [rsi]
	mov	[rdi], ax
	mov	word [rdi + 2], SEL_CODE32
	mov	word [rdi + 4], 0x8e00
	shr	eax, 16
	mov	[rdi + 6], ax
	add	rsi, 4
	add	rdi, 8
	loop	.next
	ret

bits 32
compatibility:
	mov	eax, SEL_DATA32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, stack32_end
	mov	eax, cr0
	and	eax, ~CR0_PG
	mov	cr0, eax
	mov	ecx, MSR_EFER
	rdmsr
	mov	[saved_efer], eax
	and	eax, ~EFER_LME
	wrmsr
	mov	eax, cr4
	and	eax, ~CR4_PAE
	mov	cr4, eax
	lidt	[idt32_register]
	call	[code32]
	cli
	mov	eax, [saved_cr4]
	mov	cr4, eax
	mov	eax, [saved_cr3]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	mov	eax, [saved_efer]
	wrmsr
	mov	eax, [saved_cr0]
	mov	cr0, eax
	jmp	SEL_CODE64:long_mode

bits 64
long_mode:
	lgdt	[saved_gdt]
	mov	eax, SEL_DATA64
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	mov	rsp, [saved_rsp]
	lidt	[saved_idt]
	popfq
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

; void real_call(const void *begin, const void *end): copies the code to REAL_SEGMENT:0 and calls it there in real mode; it returns
; by RETF. The interrupt table at 0 is its own.
real_call:
	mov	rcx, rsi
	sub	rcx, rdi
	mov	rsi, rdi
	mov	edi, REAL_BASE
	rep movsb
	lea	rsi, [switch_begin]
	mov	edi, SWITCH
	mov	ecx, switch_end - switch_begin
	rep movsb
	lea	rdi, [to_real]
	jmp	mode32_call

bits 32
to_real:
	pushad
	mov	[esp32], esp
	jmp	SEL_CODE16:SWITCH
from_real:
	mov	eax, SEL_DATA32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, [esp32]
	popad
	ret

switch_begin:
bits 16
	mov	ax, SEL_DATA16
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	lidt	[SWITCH + (.real_idt - switch_begin)]
	mov	eax, cr0
	and	al, ~CR0_PE
	mov	cr0, eax
	jmp	0:SWITCH + (.real - switch_begin)
.real:	mov	ax, STACK_SEGMENT
	mov	ss, ax
	mov	sp, STACK_TOP
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	call	REAL_SEGMENT:0
	cli
	mov	eax, cr0
	or	al, CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:from_real
.real_idt:
	dw	0x3ff
	dd	0
switch_end:

bits 32
; record32(name, value, wanted), arguments on the stack, removed. Keeps all registers and flags.
record32:
	pushfd
	pushad
	push	ds
	push	es
	mov	eax, SEL_DATA32
	mov	ds, eax
	mov	es, eax
	mov	ebx, [RECORDS]
	imul	edi, ebx, 12
	add	edi, RECORDS + 4
	lea	esi, [esp + 48]
	cld
	movsd
	movsd
	movsd
	inc	dword [RECORDS]
	pop	es
	pop	ds
	popad
	popfd
	ret	12

%macro entry32 1
entry32_%1:
%if %1 != 8 && %1 != 10 && %1 != 11 && %1 != 12 && %1 != 13 && %1 != 14 && %1 != 17 && %1 != 21
	push	dword 0
%endif
	push	dword %1
	jmp	exception32
%endmacro
%assign vector 0
%rep 32
	entry32 vector
%assign vector vector + 1
%endrep

; Notes what came and goes on at the place that try32 named; without one, nobody knows how to go on.
exception32:
	mov	eax, SEL_DATA32
	mov	ds, eax
	mov	es, eax
	pop	dword [caught32 + CAUGHT_VECTOR]
	pop	dword [caught32 + CAUGHT_ERROR]
	pop	dword [caught32 + CAUGHT_EIP]
	pop	dword [caught32 + CAUGHT_CS]
	pop	dword [caught32 + CAUGHT_EFLAGS]
	pop	dword [caught32 + CAUGHT_ESP]
	pop	dword [caught32 + CAUGHT_SS]
	cmp	dword [catch32], 0
	je	.unexpected
	mov	ss, eax
	mov	esp, [catch32 + 4]
	jmp	[catch32]
.unexpected:
	mov	eax, 0x20		; ends with exit code 65 + 2 * vector
	add	eax, [caught32 + CAUGHT_VECTOR]
	out	0xf4, eax
	jmp	$

section .rodata
align 4
entries32:
%macro entry32_address 1
	dd	entry32_%1
%endmacro
%assign vector 0
%rep 32
	entry32_address vector
%assign vector vector + 1
%endrep

section .data
align 8
mode_gdt:
	dq	0
	dq	0
	dq	0x00af9b000000ffff	; SEL_CODE64
	dq	0x00cf93000000ffff
	dq	0x00cf9b000000ffff	; SEL_CODE32
	dq	0x00cf93000000ffff
	dq	0x00009b000000ffff	; SEL_CODE16: as real mode wants it
	dq	0x000093000000ffff
	times 8 dq 0
mode_gdt_end:
mode_gdtr:
	dw	mode_gdt_end - mode_gdt - 1
	dq	mode_gdt
idt32_register:
	dw	32 * 8 - 1
	dd	idt32

section .bss
align 16
idt32:		resb	32 * 8
saved_rsp:	resq	1
saved_idt:	resb	16
saved_gdt:	resb	16
saved_cr0:	resd	1
saved_cr3:	resd	1
saved_cr4:	resd	1
saved_efer:	resd	1
code32:		resd	1
esp32:		resd	1
caught32:	resd	7
catch32:	resd	2
stack32:	resb	8192
stack32_end:

section .note.GNU-stack noalloc noexec nowrite progbits
