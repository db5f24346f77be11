; First instructions of a program and of each further thread. The C side is user/program.h and user/thread.c.

bits 64
default rel

extern program_begin, thread_begin
global program_start, thread_start

section .text

; Entered by the kernel as the program's first thread. In: RDI = argument, RSP = end of its stack. Never returns.
program_start:
	xor	ebp, ebp
	and	rsp, -16
	call	program_begin
	ud2

; Entered by the kernel as a thread that thread_create() started. In: RDI = its struct thread_entry, RSP = end of its
; stack. Never returns.
thread_start:
	xor	ebp, ebp
	and	rsp, -16
	call	thread_begin
	ud2

section .note.GNU-stack noalloc noexec nowrite progbits
