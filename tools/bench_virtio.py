"""What virtio devices cost, on one CPU: a disk of zeros (guests/bench/virtio.c), and two VMs on one switch (guests/bench/net.c).
Part of tools/bench.py. docs/virtio.md, "What it costs", says what each figure counts."""
import bench_schedule

ROUNDS = (1000, 3000)
FRAMES = (500, 1500)
PACKETS = 400
DISK = 'disk = [{ size = "1M" }]\n'
SWITCH = '[[switch]]\nname = "lan"\n'


def measure_disk(build, results, tools):
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


def network(build, name, words):
    """Two VMs on a switch. Returns the log, and by VM what it printed; that of Bulkhead's log has the name ""."""
    vms = [bench_schedule.Vm(vm, "net_bench", f"{words} {more}bulkhead.ledger", memory="4M",
                             more=f'net = [{{ switch = "lan", mac = "52:54:00:00:00:0{number}" }}]\n')
           for number, (vm, more) in enumerate((("asks", ""), ("answers", "answers ")), 1)]
    image = bench_schedule.make_image(build, name, vms, SWITCH)
    return bench_schedule.run(build, name, image, {vm.name: rb"bench end" for vm in vms})


def ledger(log, texts, key):
    """Of both VMs."""
    return sum(bench_schedule.value(log, texts[""], rf"ledger {vm}: {key}: (\d+)") for vm in ("asks", "answers"))


def measure_network(build, results):
    ticks, exits, to_vmm = {}, {}, {}
    for rounds in FRAMES:
        log, texts = network(build, f"virtio-net-{rounds}", f"rounds={rounds}")
        ticks[rounds] = bench_schedule.bench(log, texts, "asks", "virtio_net_round_trip")
        exits[rounds], to_vmm[rounds] = (ledger(log, texts, key) for key in ("exits", "exits-to-vmm"))
    few, many = FRAMES
    results.add("virtio_net_ticks_per_frame", ticks[many] // 2, "ticks",
                f"{log}; 64 bytes from one VM to another on the same CPU, one at a time: half a round trip")
    results.add("virtio_net_exits_per_frame", round((exits[many] - exits[few]) / (many - few) / 2, 2), "exits",
                f"{log}; of both VMs; of them to the VMMs: {(to_vmm[many] - to_vmm[few]) / (many - few) / 2:.2f}")
    log, texts = network(build, "virtio-net-stream", f"packets={PACKETS}")
    rates = {size: bench_schedule.bench(log, texts, "asks", f"{size}_bytes") /
             bench_schedule.bench(log, texts, "asks", f"{size}_ticks") for size in ("large", "small")}
    results.add("virtio_net_bytes_per_tick", round(rates["large"], 2), "bytes",
                f"{log}; packets of 65,214 bytes between two VMs on the same CPU; as frames of 1,514 bytes: {rates['small']:.2f}")


def measure(build, results, tools):
    """tools: the module bench, whose functions run a program and read its log."""
    measure_disk(build, results, tools)
    measure_network(build, results)
