/* SPDX-License-Identifier: BSD-2-Clause */
/* In-kernel tests: test=GLOB on the command line runs them before init and powers off. */
#ifndef KERNEL_TEST_RUN_H
#define KERNEL_TEST_RUN_H

void test_run_requested(void);

#endif
