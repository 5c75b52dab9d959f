//! Cost of reading a large trace, of the launches, and of the Python locations: CPU seconds, best of three.
//!
//! `SOTA_LOOP_TEST_DATA=… cargo bench -p torch-trace`

mod large;

use torch_trace::{Want, launch_moments, launches, locations, read_file};

fn main() {
    let (path, bytes) = large::replicate("vllm_gptoss_B200_tp8_rank0_eager", 14);
    println!("| step | CPU s | MB/s |");
    println!("| --- | ---: | ---: |");
    let best = |name: &str, run: &dyn Fn()| {
        let time = || {
            let start = large::cpu_s();
            run();
            large::cpu_s() - start
        };
        let best = (0..3).map(|_| time()).fold(f64::MAX, f64::min);
        println!("| {name} | {best:.3} | {:.0} |", bytes as f64 / 1e6 / best);
    };
    best("read all", &|| {
        drop(read_file(&path, Want::ALL).expect("a trace"))
    });
    best("read device work", &|| {
        drop(read_file(&path, Want::DEVICE).expect("a trace"))
    });
    let trace = read_file(&path, Want::ALL).expect("a trace");
    best("launches", &|| drop(launches(&trace)));
    let moments = launch_moments(&trace);
    best("locations", &|| drop(locations(&trace, &moments)));
    println!(
        "peak memory {:.0} MB of {:.0} MB of JSON",
        large::peak_mb(),
        bytes as f64 / 1e6
    );
}
