/**
 * What a sandbox may not ask of the kernel, by architecture. Everything else is allowed up to `newest`: what came after that was
 * not looked at and does not exist for a sandbox.
 */
export interface SyscallTable {
  /** AUDIT_ARCH_… of the native calling convention; any other kills. */
  readonly auditArch: number
  /** Calls from here on belong to the x32 convention and kill; null where there is none. */
  readonly x32Bit: number | null
  readonly newest: number
  readonly clone: number
  readonly ioctl: number
  readonly memfdCreate: number
  readonly personality: number
  readonly socket: number
  readonly socketpair: number
  /** Refused with EPERM. */
  readonly denied: readonly number[]
  /** Refused with ENOSYS, because callers know what to do instead. */
  readonly absent: readonly number[]
}

/** The same number on every architecture: all calls since 424 are. */
const COMMON_DENIED = [
  428, // open_tree
  429, // move_mount
  430, // fsopen
  431, // fsconfig
  432, // fsmount
  433, // fspick
  438, // pidfd_getfd
  440, // process_madvise
  442, // mount_setattr
  443, // quotactl_fd
  447, // memfd_secret
  448, // process_mrelease
  450, // set_mempolicy_home_node
  457, // statmount
  458, // listmount
]
const COMMON_ABSENT = [
  425, // io_uring_setup
  426, // io_uring_enter
  427, // io_uring_register
  435, // clone3: its flags lie in memory, where a filter cannot see them
]
/** removexattrat; 467 (open_tree_attr) and later are not needed by any program yet. */
const NEWEST = 466

const X86_64: SyscallTable = {
  auditArch: 0xc000003e,
  x32Bit: 0x40000000,
  newest: NEWEST,
  clone: 56,
  ioctl: 16,
  memfdCreate: 319,
  personality: 135,
  socket: 41,
  socketpair: 53,
  absent: [
    ...COMMON_ABSENT,
    29, // shmget: System V and POSIX queues outlive processes, and so a run
    64, // semget
    68, // msgget
    240, // mq_open
  ],
  denied: [
    ...COMMON_DENIED,
    101, // ptrace
    103, // syslog
    134, // uselib
    136, // ustat
    139, // sysfs
    153, // vhangup
    154, // modify_ldt
    155, // pivot_root
    156, // _sysctl
    159, // adjtimex
    161, // chroot
    163, // acct
    164, // settimeofday
    165, // mount
    166, // umount2
    167, // swapon
    168, // swapoff
    169, // reboot
    170, // sethostname
    171, // setdomainname
    172, // iopl
    173, // ioperm
    174, // create_module
    175, // init_module
    176, // delete_module
    177, // get_kernel_syms
    178, // query_module
    179, // quotactl
    180, // nfsservctl
    212, // lookup_dcookie
    227, // clock_settime
    237, // mbind
    238, // set_mempolicy
    246, // kexec_load
    248, // add_key
    249, // request_key
    250, // keyctl
    251, // ioprio_set: also for other processes, where no run would see it
    256, // migrate_pages
    272, // unshare
    279, // move_pages
    298, // perf_event_open
    300, // fanotify_init
    301, // fanotify_mark
    303, // name_to_handle_at
    304, // open_by_handle_at
    305, // clock_adjtime
    308, // setns
    310, // process_vm_readv
    311, // process_vm_writev
    312, // kcmp
    313, // finit_module
    320, // kexec_file_load
    321, // bpf
    323, // userfaultfd
  ],
}

const AARCH64: SyscallTable = {
  auditArch: 0xc00000b7,
  x32Bit: null,
  newest: NEWEST,
  clone: 220,
  ioctl: 29,
  memfdCreate: 279,
  personality: 92,
  socket: 198,
  socketpair: 199,
  absent: [
    ...COMMON_ABSENT,
    180, // mq_open
    186, // msgget
    190, // semget
    194, // shmget
  ],
  denied: [
    ...COMMON_DENIED,
    18, // lookup_dcookie
    30, // ioprio_set: also for other processes, where no run would see it
    39, // umount2
    40, // mount
    41, // pivot_root
    42, // nfsservctl
    51, // chroot
    58, // vhangup
    60, // quotactl
    89, // acct
    97, // unshare
    104, // kexec_load
    105, // init_module
    106, // delete_module
    112, // clock_settime
    116, // syslog
    117, // ptrace
    142, // reboot
    161, // sethostname
    162, // setdomainname
    170, // settimeofday
    171, // adjtimex
    217, // add_key
    218, // request_key
    219, // keyctl
    224, // swapon
    225, // swapoff
    235, // mbind
    237, // set_mempolicy
    238, // migrate_pages
    239, // move_pages
    241, // perf_event_open
    262, // fanotify_init
    263, // fanotify_mark
    264, // name_to_handle_at
    265, // open_by_handle_at
    266, // clock_adjtime
    268, // setns
    270, // process_vm_readv
    271, // process_vm_writev
    272, // kcmp
    273, // finit_module
    280, // bpf
    282, // userfaultfd
    294, // kexec_file_load
  ],
}

/** By Node's name of the architecture. */
export const SYSCALL_TABLES: Readonly<Record<string, SyscallTable>> = { x64: X86_64, arm64: AARCH64 }
