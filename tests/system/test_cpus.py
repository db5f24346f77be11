"""Which processors Bulkhead runs VMs on: one to four CPUs, each with a guest of its own; both modes of the host's local APIC; and
every processor model of the emulator that has what is needed."""
import re

import harness
import pytest

MODELS = ["corei5_arrandale_m520", "corei7_sandy_bridge_2600k", "corei7_ivy_bridge_3770k", "corei7_haswell_4770", "broadwell_ult",
          "corei7_skylake_x", "corei3_cnl", "corei7_icelake_u", "tigerlake", "sapphire_rapids", "arrow_lake", "wildcat_lake"]
# One of each kind; the others with --all.
ALWAYS = ("corei5_arrandale_m520", "corei7_ivy_bridge_3770k")


def pc(cpus, **more):
    """A PC by GRUB BIOS where each CPU has a VM of its own, cpu0 and so on."""
    manifest = "".join(f'[[vm]]\nname = "cpu{i}"\nkernel = "hello/hello.bin"\nmemory = "4M"\ncpus = [{i}]\n'
                       f'cmdline = "name=cpu{i}"\n\n' for i in range(cpus))
    return {"cpus": cpus, "memory": 512, "firmware": "bios", "linux": False, "manifest": manifest, **more}


def case(name, *marks, **more):
    return pytest.param(pc(**more), id=name, marks=marks)


PCS = [case("grub-bios-1", cpus=1), case("grub-bios-2", pytest.mark.slow, cpus=2), case("grub-bios-4", cpus=4),
       case("grub-uefi-4", pytest.mark.slow, cpus=4, firmware="uefi", grub_uefi=True),
       case("uefi-4", pytest.mark.slow, cpus=4, firmware="uefi"),
       case("xapic-2", cpus=2, cmdline="apic=xapic"),
       case("xapic-uefi-4", pytest.mark.slow, cpus=4, firmware="uefi", cmdline="apic=xapic"),
       # Processors of 2008 to 2010, and some emulated ones, have x2APIC but no TSC deadline.
       case("one-shot-timer-2", cpus=2, extra=("cpu: exclude_features=tsc_deadline",))]


def seconds_of(boot, name):
    return int(boot.wait_for(re.compile(rf"hello from {name}: (\d+) seconds\r?\n".encode())).group(1))


@pytest.mark.parametrize("boot", PCS, indirect=True)
def test_a_guest_counts_on_each_cpu(boot):
    cpus = boot.arguments["cpus"]
    boot.shows(f"Bulkhead 0.1: {cpus} CPU{'s' if cpus > 1 else ''} (")
    boot.shows("hello from cpu0: 1 seconds")
    counted = {}
    for _ in range(2):
        for number in range(cpus):
            name = f"cpu{number}"
            boot.to_host()
            boot.type(f"console {name}\r")
            boot.wait_for(f"[{name}: Ctrl-]")
            # What it said before is repeated first.
            now = seconds_of(boot, name)
            while now <= counted.get(name, 0):
                now = seconds_of(boot, name)
            counted[name] = now
    boot.to_host()
    assert re.findall(r"^(cpu\d+) +running", boot.ask_host("list"), re.MULTILINE) == [f"cpu{i}" for i in range(cpus)]
    boot.power_off()


MODEL_PCS = [case(model, *([] if model in ALWAYS else [pytest.mark.slow]), cpus=1, cpu=model) for model in MODELS]


@pytest.mark.parametrize("boot", MODEL_PCS, indirect=True)
def test_processor_model_runs_a_guest(boot):
    boot.shows("hello from cpu0: 2 seconds")
    boot.to_host()
    assert not re.search(r"\bE\d{3}\b", boot.ask_host("log"))
    boot.power_off()
