"""What virtio devices cost: guests/bench/virtio.c with a disk of zeros, on one CPU. Part of tools/bench.py."""
ROUNDS = (1000, 3000)
DISK = 'disk = [{ size = "1M" }]\n'


def measure(build, results, tools):
    """tools: the module bench, whose functions run a program and read its log."""
    ticks, exits, to_vmm = {}, {}, {}
    for rounds in ROUNDS:
        name = f"virtio-blk-{rounds}"
        manifest = tools.manifest_of(build, name, kernel="bench/virtio_bench.bin", more=DISK, memory="16M",
                                     cmdline=f"rounds={rounds} bulkhead.ledger")
        image = tools.make_image(build, name, "--manifest", manifest, "--linux", "", "--add",
                                 f"{build / 'virtio_bench.bin'}=bench/virtio_bench.bin")
        log = tools.run(build, name, image, rb"bench end", 20_000_000_000, firmware="bios",
                        then=("log", rb"entry-tsc: \d+[\r\n]"))
        ticks[rounds] = tools.number(log, r"bench virtio_blk_ticks_per_request (\d+)")
        exits[rounds] = tools.number(log, r"ledger bench: exits: (\d+)")
        to_vmm[rounds] = tools.number(log, r"ledger bench: exits-to-vmm: (\d+)")
    few, many = ROUNDS
    results.add("doorbell_ticks", tools.number(log, r"bench doorbell_ticks (\d+)"), "ticks",
                f"{log}; OUT to the guest's next instruction, the device's thread on the same CPU")
    results.add("virtio_blk_ticks_per_request", ticks[many], "ticks", f"{log}; 4 KiB read, one after the other; alone")
    results.add("virtio_blk_exits_per_request", round((exits[many] - exits[few]) / (many - few), 2), "exits",
                f"{log}; of them to the VMM: {(to_vmm[many] - to_vmm[few]) / (many - few):.2f}")
