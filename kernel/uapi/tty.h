/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminals: termios(3), ioctl_tty(2), and what consoles and serial ports add. */
#ifndef KERNEL_UAPI_TTY_H
#define KERNEL_UAPI_TTY_H

#include "lib/types.h"

#define TTY_NCCS 19

/*
 * struct termios of the kernel ABI (TCGETS), and of TCGETS2.
 *
 * OFFSET SIZE MEANING
 *      0    4 input, 4 output, 8 control, 12 local flags
 *     16    1 line discipline
 *     17   19 control characters
 *     36    4 input speed, 40 output speed (TCGETS2 only)
 */
struct termios {
	u32 iflag;
	u32 oflag;
	u32 cflag;
	u32 lflag;
	u8 line;
	u8 cc[TTY_NCCS];
};

struct termios2 {
	u32 iflag;
	u32 oflag;
	u32 cflag;
	u32 lflag;
	u8 line;
	u8 cc[TTY_NCCS];
	u32 ispeed;
	u32 ospeed;
};
static_assert(sizeof(struct termios) == 36 && sizeof(struct termios2) == 44, "ABI");

/* TCGETA */
struct termio {
	u16 iflag;
	u16 oflag;
	u16 cflag;
	u16 lflag;
	u8 line;
	u8 cc[8];
};
static_assert(sizeof(struct termio) == 18, "ABI");

struct winsize {
	u16 row;
	u16 col;
	u16 xpixel;
	u16 ypixel;
};

/* Control characters */
#define VINTR 0
#define VQUIT 1
#define VERASE 2
#define VKILL 3
#define VEOF 4
#define VTIME 5
#define VMIN 6
#define VSWTC 7
#define VSTART 8
#define VSTOP 9
#define VSUSP 10
#define VEOL 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE 14
#define VLNEXT 15
#define VEOL2 16

/* Input */
#define IGNBRK 0x0001u
#define BRKINT 0x0002u
#define IGNPAR 0x0004u
#define PARMRK 0x0008u
#define INPCK 0x0010u
#define ISTRIP 0x0020u
#define INLCR 0x0040u
#define IGNCR 0x0080u
#define ICRNL 0x0100u
#define IUCLC 0x0200u
#define IXON 0x0400u
#define IXANY 0x0800u
#define IXOFF 0x1000u
#define IMAXBEL 0x2000u
#define IUTF8 0x4000u

/* Output */
#define OPOST 0x0001u
#define OLCUC 0x0002u
#define ONLCR 0x0004u
#define OCRNL 0x0008u
#define ONOCR 0x0010u
#define ONLRET 0x0020u
#define TABDLY 0x1800u
#define XTABS 0x1800u

/* Control */
#define CBAUD 0x100fu
#define CBAUDEX 0x1000u
#define B9600 0x000du
#define B38400 0x000fu
#define B115200 0x1002u
#define BOTHER 0x1000u
#define CSIZE 0x0030u
#define CS5 0x0000u
#define CS6 0x0010u
#define CS7 0x0020u
#define CS8 0x0030u
#define CSTOPB 0x0040u
#define CREAD 0x0080u
#define PARENB 0x0100u
#define PARODD 0x0200u
#define HUPCL 0x0400u
#define CLOCAL 0x0800u
#define CIBAUD 0x100f0000u
#define CIBAUD_SHIFT 16
#define CMSPAR 0x40000000u
#define CRTSCTS 0x80000000u

/* Local */
#define ISIG 0x0001u
#define ICANON 0x0002u
#define XCASE 0x0004u
#define ECHO 0x0008u
#define ECHOE 0x0010u
#define ECHOK 0x0020u
#define ECHONL 0x0040u
#define NOFLSH 0x0080u
#define TOSTOP 0x0100u
#define ECHOCTL 0x0200u
#define ECHOPRT 0x0400u
#define ECHOKE 0x0800u
#define FLUSHO 0x1000u
#define PENDIN 0x4000u
#define IEXTEN 0x8000u
#define EXTPROC 0x10000u

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCGETA 0x5405
#define TCSETA 0x5406
#define TCSETAW 0x5407
#define TCSETAF 0x5408
#define TCSBRK 0x5409
#define TCXONC 0x540a
#define TCFLSH 0x540b
#define TIOCEXCL 0x540c
#define TIOCNXCL 0x540d
#define TIOCSCTTY 0x540e
#define TIOCGPGRP 0x540f
#define TIOCSPGRP 0x5410
#define TIOCOUTQ 0x5411
#define TIOCSTI 0x5412
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCMGET 0x5415
#define TIOCMBIS 0x5416
#define TIOCMBIC 0x5417
#define TIOCMSET 0x5418
#define TIOCGSOFTCAR 0x5419
#define TIOCSSOFTCAR 0x541a
#define TIOCINQ 0x541b
#define FIONREAD TIOCINQ
#define TIOCLINUX 0x541c
#define TIOCCONS 0x541d
#define TIOCGSERIAL 0x541e
#define TIOCSSERIAL 0x541f
#define TIOCPKT 0x5420
#define FIONBIO 0x5421
#define TIOCNOTTY 0x5422
#define TIOCSETD 0x5423
#define TIOCGETD 0x5424
#define TCSBRKP 0x5425
#define TIOCSBRK 0x5427
#define TIOCCBRK 0x5428
#define TIOCGSID 0x5429
#define TCGETS2 0x802c542a
#define TCSETS2 0x402c542b
#define TCSETSW2 0x402c542c
#define TCSETSF2 0x402c542d
#define TIOCGPTN 0x80045430
#define TIOCSPTLCK 0x40045431
#define TIOCGDEV 0x80045432
#define TIOCSIG 0x40045436
#define TIOCVHANGUP 0x5437
#define TIOCGPKT 0x80045438
#define TIOCGPTLCK 0x80045439
#define TIOCGEXCL 0x80045440
#define TIOCGPTPEER 0x5441
#define FIOASYNC 0x5452
#define TIOCGLCKTRMIOS 0x5456
#define TIOCSLCKTRMIOS 0x5457
#define TIOCMIWAIT 0x545c
#define TIOCGICOUNT 0x545d

/* TCXONC, TCFLSH */
#define TCOOFF 0
#define TCOON 1
#define TCIOFF 2
#define TCION 3
#define TCIFLUSH 0
#define TCOFLUSH 1
#define TCIOFLUSH 2

/* TIOCPKT: the first byte that a master reads */
#define TIOCPKT_DATA 0x00u
#define TIOCPKT_FLUSHREAD 0x01u
#define TIOCPKT_FLUSHWRITE 0x02u
#define TIOCPKT_STOP 0x04u
#define TIOCPKT_START 0x08u
#define TIOCPKT_NOSTOP 0x10u
#define TIOCPKT_DOSTOP 0x20u
#define TIOCPKT_IOCTL 0x40u

/* TIOCMGET */
#define TIOCM_DTR 0x002u
#define TIOCM_RTS 0x004u
#define TIOCM_CTS 0x020u
#define TIOCM_CAR 0x040u
#define TIOCM_RNG 0x080u
#define TIOCM_DSR 0x100u
#define TIOCM_OUT1 0x2000u
#define TIOCM_OUT2 0x4000u
#define TIOCM_LOOP 0x8000u

/* TIOCGSERIAL */
struct serial_struct {
	s32 type;
	s32 line;
	u32 port;
	s32 irq;
	s32 flags;
	s32 xmit_fifo_size;
	s32 custom_divisor;
	s32 baud_base;
	u16 close_delay;
	u8 io_type;
	u8 reserved_char;
	s32 hub6;
	u16 closing_wait;
	u16 closing_wait2;
	u64 iomem_base;
	u16 iomem_reg_shift;
	u32 port_high;
	u64 iomap_base;
};
static_assert(sizeof(struct serial_struct) == 72, "ABI");

/* TIOCGICOUNT */
struct serial_icounter {
	s32 cts, dsr, rng, dcd;
	s32 rx, tx;
	s32 frame, overrun, parity, brk;
	s32 buf_overrun;
	s32 reserved[9];
};
static_assert(sizeof(struct serial_icounter) == 80, "ABI");

#endif
