//! Kernel names for people: at most [`SHORT_NAME_CHARS`] characters, with what tells two kernels of one trace apart.
//!
//! Kept: the function, the functor of an elementwise kernel, tile shapes, numbers, the first data type. Dropped:
//! return type, parameters, namespaces, every other template argument. Two kernels may still share a short name;
//! whoever prints them side by side adds a number.

use super::{Anatomy, canonical};

/// Longest short name, in characters.
pub const SHORT_NAME_CHARS: usize = 60;

/// Functions that only carry another one, which stands in the template arguments.
const CARRIERS: [&str; 7] = [
    "Kernel",
    "Kernel2",
    "device_kernel",
    "kentry",
    "kernel_entry",
    "trampoline_kernel",
    "kernel",
];

/// Words of template arguments that say nothing of what is computed.
const SILENT: [&str; 44] = [
    "at",
    "native",
    "c10",
    "std",
    "detail",
    "binary_internal",
    "memory",
    "internal",
    "impl",
    "anonymous",
    "namespace",
    "cutlass",
    "cute",
    "gemm",
    "kernel",
    "flash",
    "fmha",
    "ck_tile",
    "ck",
    "rocprim",
    "cub",
    "arch",
    "hopper",
    "gpu_kernel_impl_nocast",
    "gpu_kernel_impl",
    "gpu_index_kernel",
    "BinaryFunctor",
    "AUnaryFunctor",
    "BUnaryFunctor",
    "UnaryFunctor",
    "ReduceOp",
    "func_wrapper_t",
    "TensorIteratorBase",
    "TensorIterator",
    "TensorListMetadata",
    "lambda",
    "operator",
    "const",
    "enable_sm90_or_later",
    "enable_sm100_or_later",
    "true",
    "false",
    "unsigned",
    "char",
];

/// A name of a kernel that fits a table.
pub fn short(name: &str) -> String {
    let name = canonical(name);
    let anatomy = Anatomy::of(&name);
    let function = anatomy.function();
    let text = if function.starts_with("Cijk_") {
        tensile(function)
    } else if let Some(class) = cute_class(function) {
        format!("{class} (CuTe)")
    } else if function.starts_with("fmhaSm") || function.contains("_xmma_") {
        abbreviated(function)
    } else if CARRIERS.contains(&function) && !anatomy.arguments.is_empty() {
        carried(&anatomy)
    } else if function == "reduce_kernel"
        || ["elementwise", "multi_tensor_apply"]
            .iter()
            .any(|of| function.contains(of))
    {
        with_details(
            function,
            functor(&anatomy.arguments),
            &[],
            dtype(&anatomy.arguments),
        )
    } else {
        with_details(
            function,
            None,
            &numbers(&anatomy.arguments),
            dtype(&anatomy.arguments),
        )
    };
    fit(&text)
}

/// `Cijk_Alik_Bljk_BBS_BH_…_MT256x32x64_MI16…`: the index letters, the types and the macro tile.
fn tensile(function: &str) -> String {
    let parts: Vec<&str> = function.split('_').collect();
    let head = parts[..parts.len().min(5)].join("_");
    let tile = parts
        .iter()
        .find(|part| part.starts_with("MT") && part.contains('x'));
    let instruction = parts
        .iter()
        .find(|part| part.starts_with("MI") && part.contains('x'));
    [Some(&head.as_str()), tile, instruction]
        .into_iter()
        .flatten()
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Generated names of trtllm-gen attention and cuBLAS, whose middle is what tells two of them apart.
fn abbreviated(function: &str) -> String {
    let text = function.split("_execute_").next().unwrap_or(function);
    let words = [
        ("Kernel_", " "),
        ("Bfloat16", "Bf16"),
        ("SlidingOrChunked", "Sliding"),
        ("VarSeq", ""),
        ("PagedKv", "Paged"),
        ("tilesize", ""),
        ("warpgroupsize", "wg"),
    ];
    words
        .iter()
        .fold(text.to_owned(), |text, (long, brief)| text.replace(long, brief))
}

/// The class of a CuTe DSL kernel: `kernel_cutlass_kernel_flashinfernorm…FusedAddRMSNormKernel_object_at_…`.
fn cute_class(function: &str) -> Option<&str> {
    let body = function.strip_prefix("kernel_cutlass_")?;
    let body = body.split_once("_object_at_").map_or(body, |(before, _)| before);
    let body = body.strip_prefix("kernel_").unwrap_or(body);
    // The module path is in small letters in front of the class.
    let class = body
        .find(|c: char| c.is_ascii_uppercase())
        .map_or(body, |at| &body[at..]);
    Some(class)
}

/// What a carrier carries, with its tile.
fn carried(anatomy: &Anatomy) -> String {
    let arguments = anatomy.arguments.as_str();
    let tile = tile(arguments);
    match telling(arguments) {
        Some(carried) => with_details(carried, None, tile.as_slice(), dtype(arguments)),
        // Nothing is carried: `gemvx::kernel` has its name in the namespace.
        None => {
            let parts: Vec<&str> = anatomy.path.split("::").collect();
            with_details(
                &parts[parts.len().saturating_sub(2)..].join("::"),
                None,
                tile.as_slice(),
                dtype(arguments),
            )
        }
    }
}

fn with_details(function: &str, first: Option<String>, numbers: &[String], dtype: Option<&str>) -> String {
    // Leading numbers are the first to go where there is no room for all.
    (0..=numbers.len())
        .map(|dropped| {
            let numbers = numbers[dropped..].iter().map(String::as_str);
            let details: Vec<&str> = first.as_deref().into_iter().chain(numbers).chain(dtype).collect();
            if details.is_empty() {
                function.to_owned()
            } else {
                format!("{function}<{}>", details.join(", "))
            }
        })
        .find(|text| text.chars().count() <= SHORT_NAME_CHARS)
        .unwrap_or_else(|| function.to_owned())
}

/// What an elementwise or reduction kernel computes: `MulFunctor` is `Mul`, `direct_copy_kernel_cuda` is `direct_copy`.
fn functor(arguments: &str) -> Option<String> {
    let word = telling(arguments)?;
    let mut word = word
        .strip_prefix("CUDAFunctor")
        .map_or(word, |rest| rest.trim_start_matches('_'));
    for tail in [
        "_cuda_out",
        "_cuda",
        "_impl",
        "_kernel",
        "_functor",
        "Functor",
        "CUDAKernelImpl",
        "Ops",
    ] {
        word = word
            .strip_suffix(tail)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(word);
    }
    Some(word.to_owned())
}

/// The first word of the arguments that says what is computed.
fn telling(arguments: &str) -> Option<&str> {
    identifiers(arguments)
        .find(|word| !SILENT.contains(word) && !word.starts_with("ROCPRIM_") && dtype_of(word).is_none())
}

/// Identifiers, without numbers.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// Numbers among the template arguments, `128l, true, 16u` gives 128 and 16; those of the first nested list where there
/// are none, as in `Flash_fwd_kernel_traits<64, 128, 128>`.
fn numbers(arguments: &str) -> Vec<String> {
    let outer = numbers_of_list(arguments);
    match arguments.split_once('<') {
        Some((_, nested)) if outer.is_empty() => numbers_of_list(nested),
        _ => outer,
    }
}

fn numbers_of_list(arguments: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let items = arguments.split(|c| {
        match c {
            '<' | '(' | '{' => depth += 1,
            '>' | ')' | '}' => depth -= 1,
            _ => {}
        }
        depth < 0 || (c == ',' && depth == 0)
    });
    items
        .map_while(|item| (!item.starts_with(['>', ')', '}'])).then(|| number(item.trim())))
        .flatten()
        .take(4)
        .collect()
}

/// `128`, `128l`, `16u`, `4ul`.
fn number(argument: &str) -> Option<String> {
    let digits = argument.trim_end_matches(['u', 'l']);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

/// The first CuTe shape of two numbers or more that is no cluster: `tuple<C<128>, C<128>, C<64>>` is `128x128x64`.
fn tile(arguments: &str) -> Option<String> {
    arguments.split("tuple<").skip(1).find_map(|after| {
        let sides: Vec<String> = after
            .split(',')
            .map_while(|item| {
                let digits = item
                    .trim()
                    .trim_start_matches("cute::")
                    .trim_start_matches(['C', 'I', 'n', 't', '<', '_']);
                let end = digits.bytes().take_while(u8::is_ascii_digit).count();
                (end > 0).then(|| digits[..end].to_owned())
            })
            .take(3)
            .collect();
        let is_tile = sides.len() >= 2 && sides.iter().any(|side| side.len() >= 2);
        is_tile.then(|| sides.join("x"))
    })
}

/// The first data type among the words of the arguments; integers only where there is no float, they are indices.
fn dtype(arguments: &str) -> Option<&'static str> {
    // An index type.
    let arguments = arguments.replace("unsigned int", "");
    let found = |floats: bool| {
        identifiers(&arguments)
            .filter_map(dtype_of)
            .find(|dtype| (dtype.starts_with('i') || *dtype == "bool") != floats)
    };
    found(true).or_else(|| found(false))
}

fn dtype_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "BFloat16" | "__nv_bfloat16" | "__hip_bfloat16" | "hip_bfloat16" | "bfloat16_t" | "bf16"
        | "bf16_t" | "nv_bfloat16" => "bf16",
        "Half" | "__half" | "half" | "half_t" | "f16" | "fp16_t" | "__half2" => "f16",
        "float" | "f32" => "f32",
        "double" => "f64",
        "Float8_e4m3fn" | "Float8_e4m3fnuz" | "__nv_fp8_e4m3" | "float_e4m3_t" | "__hip_fp8_e4m3" => "e4m3",
        "Float8_e5m2" | "__nv_fp8_e5m2" | "float_e5m2_t" => "e5m2",
        "float_e2m1_t" | "__nv_fp4_e2m1" => "e2m1",
        "int" | "int32_t" => "i32",
        "long" | "int64_t" => "i64",
        "bool" => "bool",
        _ => return None,
    })
}

/// Cuts the middle out of what is too long: both ends of a generated name tell kernels apart.
fn fit(text: &str) -> String {
    let count = text.chars().count();
    if count <= SHORT_NAME_CHARS {
        return text.to_owned();
    }
    let tail = 20;
    let head = SHORT_NAME_CHARS - tail - 1;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{start}…{end}")
}
