; A firmware ROM of 64 KiB that asks what its memory is: RAM below 1 MiB, read-only below 4 GiB, until the processor itself must
; write there. Ends by the debug-exit port with the number of wrong answers.
; Layout: offset n of the file is at F0000h + n and at FFFF0000h + n; the reset vector is at offset FFF0h.

LOW         equ 0xf0000
HIGH        equ 0xffff0000
STACK_TOP   equ 0x7000
CODE        equ 0x08
DATA        equ 0x10
UNUSED_DATA equ 0x18
ACCESSED    equ 1
EXIT_PORT   equ 0xf4
FIRST       equ 0x12345678

%macro expect 1                 ; the condition that the flags must show
	j%1	%%right
	inc	ebp
%%right:
%endmacro

	org	0
	bits	16
start:
	mov	ax, LOW >> 4
	mov	ds, ax
	xor	ebp, ebp
	mov	dword [scratch], ~FIRST
	cmp	dword [scratch], ~FIRST
	expect	e               ; RAM
	o32 lgdt [low_gdtr]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword CODE:LOW + protected

	bits	32
protected:
	mov	ax, DATA
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	esp, STACK_TOP
	cmp	dword [HIGH + scratch], FIRST
	expect	e               ; another memory than that below 1 MiB
	mov	dword [HIGH + scratch], 0
	cmp	dword [HIGH + scratch], FIRST
	expect	e               ; that a write does not change,
	lock inc dword [HIGH + scratch]
	cmp	dword [HIGH + scratch], FIRST
	expect	e               ; nor one that also reads,
	mov	edi, HIGH + scratch
	mov	ecx, 2
	xor	eax, eax
	rep stosd
	cmp	dword [HIGH + scratch], FIRST
	expect	e               ; nor a string
	lgdt	[LOW + high_gdtr]
	mov	ax, UNUSED_DATA
	mov	es, ax          ; the processor marks the descriptor
	test	byte [HIGH + gdt + UNUSED_DATA + 5], ACCESSED
	expect	nz
	mov	dword [HIGH + scratch], ~FIRST
	cmp	dword [HIGH + scratch], ~FIRST
	expect	e               ; RAM since then
	mov	eax, ebp
	mov	edx, EXIT_PORT
	out	dx, eax
.halt:
	cli
	hlt
	jmp	.halt

	align	8
gdt:
	dq	0
	dq	0x00cf9b000000ffff      ; CODE: 4 GiB, execute/read, accessed
	dq	0x00cf93000000ffff      ; DATA: 4 GiB, read/write, accessed
	dq	0x00cf92000000ffff      ; UNUSED_DATA: not accessed
gdt_end:
low_gdtr:
	dw	gdt_end - gdt - 1
	dd	LOW + gdt
high_gdtr:
	dw	gdt_end - gdt - 1
	dd	HIGH + gdt
	align	8
scratch:
	dd	FIRST, FIRST

	times	0xfff0 - ($ - $$) db 0xff
	bits	16
	jmp	LOW >> 4:start
	times	0x10000 - ($ - $$) db 0xff
