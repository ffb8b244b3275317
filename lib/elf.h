/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF for 64-bit little-endian files on x86-64: structures and the numbers
 * that the loader, the symbolizer and core dumps use.
 *
 * See: System V gABI chapters 4 and 5, x86-64 psABI chapter 4.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include "lib/types.h"

/* Indices and values of elf64_header.ident. */
#define EI_MAG0 0
#define EI_CLASS 4
#define EI_DATA 5
#define EI_VERSION 6
#define EI_OSABI 7
#define EI_ABIVERSION 8
#define EI_NIDENT 16

#define ELF_MAGIC "\177ELF"
#define ELF_MAGIC_SIZE 4
#define ELFCLASS32 1
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define ELFDATA2MSB 2
#define EV_CURRENT 1
#define ELFOSABI_NONE 0
#define ELFOSABI_LINUX 3

#define ET_NONE 0
#define ET_REL 1
#define ET_EXEC 2
#define ET_DYN 3
#define ET_CORE 4

#define EM_386 3
#define EM_X86_64 62

/*
 * OFFSET  SIZE  MEANING
 * 0       16    ident: magic, class, data, version, OS ABI
 * 16      2     type
 * 18      2     machine
 * 20      4     version
 * 24      8     entry: virtual address
 * 32      8     phoff: file offset of the program headers
 * 40      8     shoff: file offset of the section headers
 * 48      4     flags
 * 52      2     ehsize
 * 54      2     phentsize
 * 56      2     phnum (PN_XNUM: see info of section 0)
 * 58      2     shentsize
 * 60      2     shnum (0: see size of section 0)
 * 62      2     shstrndx
 */
struct elf64_header {
	u8 ident[EI_NIDENT];
	u16 type;
	u16 machine;
	u32 version;
	u64 entry;
	u64 phoff;
	u64 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
};
static_assert(sizeof(struct elf64_header) == 64, "ELF header");

#define PN_XNUM 0xffff

/*
 * OFFSET  SIZE  MEANING
 * 0       4     type
 * 4       4     flags
 * 8       8     offset in the file
 * 16      8     vaddr
 * 24      8     paddr
 * 32      8     filesz
 * 40      8     memsz
 * 48      8     align
 */
struct elf64_phdr {
	u32 type;
	u32 flags;
	u64 offset;
	u64 vaddr;
	u64 paddr;
	u64 filesz;
	u64 memsz;
	u64 align;
};
static_assert(sizeof(struct elf64_phdr) == 56, "ELF program header");

#define PT_NULL 0
#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_INTERP 3
#define PT_NOTE 4
#define PT_SHLIB 5
#define PT_PHDR 6
#define PT_TLS 7
#define PT_GNU_EH_FRAME 0x6474e550
#define PT_GNU_STACK 0x6474e551
#define PT_GNU_RELRO 0x6474e552
#define PT_GNU_PROPERTY 0x6474e553

#define PF_X 1
#define PF_W 2
#define PF_R 4

/*
 * OFFSET  SIZE  MEANING
 * 0       4     name: offset in the section name table
 * 4       4     type
 * 8       8     flags
 * 16      8     addr
 * 24      8     offset in the file
 * 32      8     size
 * 40      4     link
 * 44      4     info
 * 48      8     addralign
 * 56      8     entsize
 */
struct elf64_shdr {
	u32 name;
	u32 type;
	u64 flags;
	u64 addr;
	u64 offset;
	u64 size;
	u32 link;
	u32 info;
	u64 addralign;
	u64 entsize;
};
static_assert(sizeof(struct elf64_shdr) == 64, "ELF section header");

#define SHT_NULL 0
#define SHT_PROGBITS 1
#define SHT_SYMTAB 2
#define SHT_STRTAB 3
#define SHT_RELA 4
#define SHT_HASH 5
#define SHT_DYNAMIC 6
#define SHT_NOTE 7
#define SHT_NOBITS 8
#define SHT_REL 9
#define SHT_DYNSYM 11
#define SHT_INIT_ARRAY 14
#define SHT_FINI_ARRAY 15
#define SHT_GNU_HASH 0x6ffffff6
#define SHT_GNU_VERDEF 0x6ffffffd
#define SHT_GNU_VERNEED 0x6ffffffe
#define SHT_GNU_VERSYM 0x6fffffff

#define SHF_WRITE 0x1
#define SHF_ALLOC 0x2
#define SHF_EXECINSTR 0x4
#define SHF_TLS 0x400

#define SHN_UNDEF 0
#define SHN_LORESERVE 0xff00
#define SHN_ABS 0xfff1
#define SHN_COMMON 0xfff2

/*
 * OFFSET  SIZE  MEANING
 * 0       4     name: offset in the string table
 * 4       1     info: binding << 4 | type
 * 5       1     other: visibility in the low 2 bits
 * 6       2     shndx
 * 8       8     value
 * 16      8     size
 */
struct elf64_sym {
	u32 name;
	u8 info;
	u8 other;
	u16 shndx;
	u64 value;
	u64 size;
};
static_assert(sizeof(struct elf64_sym) == 24, "ELF symbol");

#define ELF64_ST_BIND(info) ((info) >> 4)
#define ELF64_ST_TYPE(info) ((info)&15)
#define ELF64_ST_INFO(bind, type) (((bind) << 4) | ((type)&15))

#define STB_LOCAL 0
#define STB_GLOBAL 1
#define STB_WEAK 2

#define STT_NOTYPE 0
#define STT_OBJECT 1
#define STT_FUNC 2
#define STT_SECTION 3
#define STT_FILE 4
#define STT_COMMON 5
#define STT_TLS 6
#define STT_GNU_IFUNC 10

#define STV_DEFAULT 0
#define STV_INTERNAL 1
#define STV_HIDDEN 2
#define STV_PROTECTED 3

struct elf64_rel {
	u64 offset;
	u64 info;
};

struct elf64_rela {
	u64 offset;
	u64 info;
	s64 addend;
};
static_assert(sizeof(struct elf64_rela) == 24, "ELF relocation");

#define ELF64_R_SYM(info) ((u32)((info) >> 32))
#define ELF64_R_TYPE(info) ((u32)(info))

#define R_X86_64_NONE 0
#define R_X86_64_64 1
#define R_X86_64_PC32 2
#define R_X86_64_GOT32 3
#define R_X86_64_PLT32 4
#define R_X86_64_COPY 5
#define R_X86_64_GLOB_DAT 6
#define R_X86_64_JUMP_SLOT 7
#define R_X86_64_RELATIVE 8
#define R_X86_64_GOTPCREL 9
#define R_X86_64_32 10
#define R_X86_64_32S 11
#define R_X86_64_PC64 24

struct elf64_dyn {
	s64 tag;
	u64 val;
};

#define DT_NULL 0
#define DT_NEEDED 1
#define DT_HASH 4
#define DT_STRTAB 5
#define DT_SYMTAB 6
#define DT_RELA 7
#define DT_RELASZ 8
#define DT_RELAENT 9
#define DT_STRSZ 10
#define DT_SYMENT 11
#define DT_INIT 12
#define DT_FINI 13
#define DT_SONAME 14
#define DT_GNU_HASH 0x6ffffef5
#define DT_VERSYM 0x6ffffff0
#define DT_VERDEF 0x6ffffffc
#define DT_VERDEFNUM 0x6ffffffd

/* A note: this header, the name padded to 4, the descriptor padded to 4. */
struct elf64_note {
	u32 namesz;
	u32 descsz;
	u32 type;
};

/* Notes of core files (name "CORE", the last two "LINUX"). */
#define NT_PRSTATUS 1
#define NT_PRFPREG 2
#define NT_PRPSINFO 3
#define NT_AUXV 6
#define NT_SIGINFO 0x53494749
#define NT_FILE 0x46494c45
#define NT_X86_XSTATE 0x202

/* Notes of binaries (name "GNU"). */
#define NT_GNU_ABI_TAG 1
#define NT_GNU_BUILD_ID 3
#define NT_GNU_PROPERTY_TYPE_0 5

/* Keys of the auxiliary vector that a new program finds on its stack. */
#define AT_NULL 0
#define AT_IGNORE 1
#define AT_EXECFD 2
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_NOTELF 10
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_PLATFORM 15
#define AT_HWCAP 16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_BASE_PLATFORM 24
#define AT_RANDOM 25
#define AT_HWCAP2 26
#define AT_EXECFN 31
#define AT_SYSINFO_EHDR 33
#define AT_MINSIGSTKSZ 51

#endif
