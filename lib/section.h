/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registration by linker section: the one idiom for everything that registers
 * itself (drivers, file systems, ordered init, tests). An object placed with
 * REGISTER(set) is found by for_each_registered(set, type, it); the linker
 * script keeps the sections named "reg.SET" in order of their names, with
 * __start and __stop symbols made by the linker.
 */
#ifndef LIB_SECTION_H
#define LIB_SECTION_H

#include "lib/types.h"

/* Prefix of a definition: REGISTER(initcalls) static const struct initcall x = {...}; */
#define REGISTER(set) __attribute__((section("reg_" #set), used, aligned(8)))

#define DECLARE_REGISTRY(set, type) extern type __start_reg_##set[], __stop_reg_##set[]

#define for_each_registered(set, it) for ((it) = __start_reg_##set; (it) < __stop_reg_##set; (it)++)

#endif
