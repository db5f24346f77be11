; Does a 16-bit program of real mode find what it must: segments, interrupts, faults, registers, and a timer by 8259 and 8254 as
; on a PC? SDM Vol. 3B, "8086 Emulation".

%include "tests/guest/lib/modes.inc"

question16
program:
	vectors16
	call	segments
	call	interrupts
	call	processor
	call	timer
	retf

segments:
	mov	ax, 0xffff
	mov	ds, ax
	mov	eax, [0x10]		; FFFF:0010 is 100000h: the flat program's header
	check16 "FFFF:0010 is 1 MiB", eax, 0x4b4c5542
	mov	ax, 0x1234
	mov	ds, ax
	mov	word [0xdcb0], 0xabcd	; 12340 + dcb0 = 1fff0
	mov	ax, 0x1fff
	mov	es, ax
	movzx	eax, word [es:0]
	check16 "one byte, two names", eax, 0xabcd
	smsw	ax
	and	eax, 1
	check16 "CR0.PE is clear", eax, 0
	call	far [cs:at(far_pointer)]
	check16 "far call and return", ecx, 0x77
	ret
far_pointer:
	dw	at(far_function), REAL_SEGMENT
far_function:
	mov	ecx, 0x77
	retf

interrupts:
	vector16 0x60, take_60
	xor	ecx, ecx
	int	0x60
	check16 "INT calls its handler", ecx, 0x60
	mov	ax, 0x2402
	int	0x15			; a BIOS would answer
	movzx	eax, ax
	check16 "INT of a BIOS that is not there returns", eax, 0x2402
	try16	.divided
	xor	cx, cx
	div	cx
.divided:
	check_fault "DIV by 0", 0
	try16	.bounded
	mov	ax, 9
	bound	ax, [cs:at(.bounds)]
.bounded:
	check_fault "BOUND", VECTOR_BR
	try16	.undefined
	ud2
.undefined:
	check_fault "UD2", VECTOR_UD
	ret
.bounds:
	dw	0, 8

take_60:
	mov	ecx, 0x60
	iret

processor:
	xor	eax, eax
	cpuid
	test	eax, eax
	setnz	al
	movzx	eax, al
	check16 "CPUID", eax, 1
	mov	ecx, 0x1b
	rdmsr
	and	eax, 0x800
	check16 "RDMSR of the APIC's base", eax, 0x800
	try16	.msr
	mov	ecx, 0x12345
	rdmsr
.msr:	check_fault "RDMSR of an absent register", VECTOR_GP
	mov	eax, cr0
	and	eax, 0x80000001
	check16 "CR0", eax, 0
	sgdt	[cs:at(.gdt)]
	movzx	eax, word [cs:at(.gdt)]
	check16 "SGDT", eax, 0x7f
	try16	.paging
	mov	eax, cr0
	or	eax, 0x80000000
	mov	cr0, eax
.paging:
	check_fault "CR0.PG without PE", VECTOR_GP
	ret
.gdt:	times 6 db 0

; The PIT's channel 0 by the PIC's line 0, vector 8 as on a PC, ends HLT.
timer:
	vector16 8, take_timer
	mov	al, 0x11
	out	0x20, al
	mov	al, 8
	out	0x21, al
	mov	al, 4
	out	0x21, al
	mov	al, 1
	out	0x21, al
	mov	al, 0xfe
	out	0x21, al
	mov	al, 0x34		; channel 0, rate generator
	out	0x43, al
	mov	ax, 1193
	out	0x40, al
	mov	al, ah
	out	0x40, al
	xor	ecx, ecx
.next:	sti
	hlt
	cli
	cmp	ecx, 5
	jb	.next
	mov	al, 0xff
	out	0x21, al
	check16 "the PIT ends HLT", ecx, 5
	ret
take_timer:
	inc	ecx
	push	ax
	mov	al, 0x20
	out	0x20, al
	pop	ax
	iret

	define_faults16
program_end:

section .note.GNU-stack noalloc noexec nowrite progbits
