"""An HLS tool: opens a project, writes RTL and reports where the real one would."""

import os
import sys
from pathlib import Path

from vendorlike import MODE, begin, report, run

place = {"project": "", "clock": ""}


def open_project(*words):
    place["project"] = str(words[-1])
    Path(words[-1], "solution1").mkdir(parents=True)
    return ""


def csynth_design():
    syn = Path(place["project"], "solution1", "syn")
    (syn / "verilog").mkdir(parents=True)
    (syn / "verilog" / "myproject.v").write_text(
        'module myproject(input ap_clk); initial $readmemh("./w.dat", rom); endmodule\n'
    )
    (syn / "verilog" / "w.dat").write_text("00\n")
    (syn / "huge.db").write_bytes(b"x" * 10_000)
    report("vitis_hls_2022.2_csynth.rpt", syn / "report" / "myproject_csynth.rpt")
    report("vitis_hls_2021.1_summary_csynth.rpt", syn / "report" / "csynth.rpt")
    return ""


def cosim_design(*words):
    rows = Path("tb_data/tb_output_predictions.dat").read_text()
    text = rows.replace("1", "2", 1) if MODE == "cosim_wrong" else rows
    Path("tb_data/rtl_cosim_results.log").write_text(text)
    name = "vivado_hls_2019.1_cosim_failed.rpt" if MODE == "cosim_fail" else "vitis_hls_2023.2_cosim.rpt"
    report(name, Path(place["project"], "solution1", "sim", "report", "myproject_cosim.rpt"))
    return ""


def export_design(*words):
    Path(place["project"], "solution1", "impl", "ip").mkdir(parents=True)
    Path(place["project"], "solution1", "impl", "ip", "xilinx_com_hls_myproject_1_0.zip").write_bytes(b"PK")
    return ""


QUIET = "set_top add_files open_solution config_array_partition config_compile set_part config_schedule create_clock"


def main(name, asking, before):
    begin(name, asking)
    if sys.argv[1:-1] != before:
        sys.exit(f"ERROR: {name} was called with {sys.argv[1:]}")
    commands = {"open_project": open_project, "csynth_design": csynth_design, "cosim_design": cosim_design}
    commands |= {"export_design": export_design, "set_clock_uncertainty": None, **dict.fromkeys(QUIET.split())}
    run(os.fspath(Path(sys.argv[-1]).resolve()), commands)
