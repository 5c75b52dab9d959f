//! Short names beside each other: where two kernels share one, what tells them apart follows it.

use torch_trace::kernel_name::short;

/// Characters of a whole name that tell it apart.
const TELLING: usize = 24;

/// The short name of each kernel; of those that share it, with the place of the whole name where they differ.
pub(super) fn distinct(kernels: &[&str]) -> Vec<String> {
    let shorts: Vec<String> = kernels.iter().map(|kernel| short(kernel)).collect();
    kernels
        .iter()
        .zip(&shorts)
        .map(|(kernel, name)| {
            let others = kernels.iter().zip(&shorts);
            let alike: Vec<&str> = others
                .filter(|(other, shared)| *shared == name && *other != kernel)
                .map(|(other, _)| *other)
                .collect();
            match apart(kernel, &alike) {
                Some(part) => format!("{name} […{part}]"),
                None => name.clone(),
            }
        })
        .collect()
}

/// The part of a name from the first place on at which all others have left it; `None` without others.
fn apart(name: &str, others: &[&str]) -> Option<String> {
    let common = |other: &str| {
        let same = name.chars().zip(other.chars());
        same.take_while(|(a, b)| a == b).count()
    };
    let differs = others.iter().map(|other| common(other)).max()?;
    // From the start of the word on, or a digit would stand alone.
    let head: Vec<char> = name.chars().take(differs).collect();
    let word = head
        .iter()
        .rev()
        .take(TELLING / 2)
        .take_while(|c| c.is_alphanumeric() || **c == '_');
    let start = differs - word.count();
    Some(name.chars().skip(start).take(TELLING).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_alike_are_told_apart_and_others_stay() {
        let long = |tile: &str| format!("void at::native::elementwise_kernel<128, {tile}, Functor>(int)");
        let (a, b) = (long("4"), long("8"));
        assert_eq!(short(&a), short(&b), "the short name does not tell them apart");
        let seen = distinct(&[&a, &b, "gemm_64x64"]);
        assert!(seen[0].ends_with("[…4, Functor>(int)]"), "{seen:?}");
        assert!(seen[1].ends_with("[…8, Functor>(int)]"), "{seen:?}");
        assert_eq!(seen[2], "gemm_64x64");
        // The same kernel on both sides is no other one.
        assert_eq!(distinct(&["gemm", "gemm"]), ["gemm", "gemm"]);
    }
}
