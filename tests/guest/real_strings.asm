; Do accesses of real mode end where its segments end, also those that a hypervisor carries out: strings to and from ports, memory
; that nobody owns? SDM Vol. 3B, "8086 Emulation"; Vol. 3A, "Limit Checking".

%include "tests/guest/lib/modes.inc"

question16
program:
	vectors16
	call	nobody
	call	strings
	call	limits
	retf

; A0000h to BFFFFh is nobody's.
nobody:
	mov	ax, 0xb800
	mov	ds, ax
	mov	es, ax
	mov	word [0], 0x1234
	movzx	eax, word [0]
	check16 "nobody's memory", eax, 0xffff
	mov	eax, [1]
	check16 "nobody's memory, 32 bits", eax, 0xffffffff
	mov	bx, 0x10
	mov	si, 2
	mov	al, [bx + si + 5]
	movzx	eax, al
	check16 "nobody's memory by BX+SI", eax, 0xff
	or	byte [4], 0
	test	byte [4], 0x80
	setnz	al
	movzx	eax, al
	check16 "TEST of nobody's memory", eax, 1
	xor	di, di
	mov	cx, 100
	xor	ax, ax
	cld
	rep	stosw
	movzx	eax, di
	check16 "REP STOSW into nobody's memory", eax, 200
	push	ds
	pop	es
	mov	ax, 0x4000
	mov	es, ax
	mov	dword [es:0], 0
	xor	si, si
	xor	di, di
	movsw
	movsw
	mov	eax, [es:0]
	check16 "MOVSW from nobody's memory", eax, 0xffffffff
	ret

strings:
	cld
	push	cs
	pop	ds
	mov	ax, 0x4000
	mov	es, ax
	mov	esi, 0x12340000 + at(text)	; only SI counts
	mov	di, 0xfffc
	mov	ecx, 0x56780008
	rep	movsb
	movzx	eax, di
	check16 "REP MOVSB wraps DI", eax, 4
	check16 "and changes CX only", ecx, 0x56780000
	mov	eax, [es:0]
	check16 "and wraps its address", eax, "efgh"
	mov	dx, 0x300
	mov	si, at(text)
	mov	cx, 8
	rep	outsb
	movzx	eax, si
	check16 "REP OUTSB", eax, at(text) + 8
	mov	di, 0x100
	mov	cx, 3
	rep	insw
	mov	eax, [es:0x102]
	check16 "REP INSW of nobody", eax, 0xffffffff
	movzx	eax, di
	check16 "its address", eax, 0x106
	std
	mov	di, 0x20
	mov	cx, 4
	mov	al, 0x55
	rep	stosb
	cld
	movzx	eax, di
	check16 "REP STOSB downwards", eax, 0x1c
	ret
text:	db	"abcdefgh"

limits:
	xor	ax, ax
	mov	ds, ax
	try16	.word
	mov	ax, [0xffff]
.word:	check_fault "a word at FFFFh", VECTOR_GP
	try16	.offset
	mov	ebx, 0x10000
	mov	al, [ebx]
.offset:
	check_fault "an offset of 10000h", VECTOR_GP
	try16	.stack
	mov	ebp, 0xffff
	mov	ax, [ebp]
.stack:	check_fault "a word at SS:FFFFh", VECTOR_SS
	try16	.code
	mov	ebx, 0x20000
	jmp	ebx
.code:	check_fault "a jump beyond the limit", VECTOR_GP
	try16	.port
	mov	edi, 0xffff
	mov	dx, 0x300
	insw
.port:	check_fault "INSW to ES:FFFFh", VECTOR_GP
	try16	.good
	mov	ax, [0xfffe]
.good:	check_fault "a word at FFFEh", NONE
	ret

	define_faults16
program_end:

section .note.GNU-stack noalloc noexec nowrite progbits
