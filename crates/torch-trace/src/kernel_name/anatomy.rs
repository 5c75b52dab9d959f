//! The parts of a kernel name: the function's path, and what stands in its template arguments.
//!
//! ```text
//! void at::native::(anonymous namespace)::softmax<4, c10::Half>(c10::Half*, int) [clone .kd]
//!      '-------------- path ------------'  '-- arguments ---'
//! ```
//!
//! Return type, parameters and clone marks say nothing of what a kernel does, but are full of words that do for
//! others (`cutlass::bfloat16_t`), so they are in neither part.

use super::capped;
use super::mangled;

/// Parts of a path that have brackets of their own and tell nothing.
const SKIPPED: [&str; 4] = [
    "(anonymous namespace)::",
    "<unnamed>::",
    "{anonymous}::",
    "::operator()",
];

/// A kernel name taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// Namespaces and function, `at::native::softmax`; the whole name where it is no C++ name.
    pub path: String,
    /// Template arguments, `4, c10::Half`; of a mangled name the identifiers in them. Empty where there are none.
    pub arguments: String,
}

impl Anatomy {
    /// Takes a name apart. Any text has an anatomy; at worst it is all path.
    pub fn of(name: &str) -> Self {
        let name = capped(name).0.trim();
        let name = name.split_once(" [clone").map_or(name, |(name, _)| name);
        let name = name.strip_suffix(".kd").unwrap_or(name);
        if let Some(anatomy) = mangled::anatomy(name) {
            return anatomy;
        }
        if !name.contains(['(', '<']) || name.starts_with("Memcpy ") || name.starts_with("Memset ") {
            return Self {
                path: name.to_owned(),
                arguments: String::new(),
            };
        }
        Self::of_cpp(name)
    }

    /// Last part of the path: the function without its namespaces.
    pub fn function(&self) -> &str {
        self.path.rsplit("::").next().unwrap_or(&self.path)
    }

    fn of_cpp(name: &str) -> Self {
        let mut parts = Self::default();
        // What is open: `<`, `(` or `{`. A `<` inside parentheses is a comparison as often as not, so a closing
        // bracket closes everything up to its own kind.
        let mut open: Vec<char> = Vec::new();
        let mut previous = ' ';
        let mut rest = name;
        while let Some(c) = rest.chars().next() {
            if open.is_empty() {
                if let Some(skipped) = SKIPPED.iter().find(|mark| rest.starts_with(**mark)) {
                    rest = &rest[skipped.len()..];
                    continue;
                }
                if c == '(' {
                    break;
                }
                if c == ' ' && !parts.path.is_empty() {
                    // What came before was the return type.
                    parts = Self::default();
                }
            }
            rest = &rest[c.len_utf8()..];
            let inside = !open.is_empty();
            match c {
                '<' | '(' | '{' => open.push(c),
                '>' if open.last() == Some(&'<') && previous != '-' => drop(open.pop()),
                ')' => close(&mut open, '('),
                '}' => close(&mut open, '{'),
                _ => {}
            }
            if inside && !open.is_empty() {
                parts.arguments.push(c);
            } else if !inside && open.is_empty() && c != ' ' {
                parts.path.push(c);
            } else if inside {
                parts.arguments.push(' ');
            }
            previous = c;
        }
        parts.arguments.truncate(parts.arguments.trim_end().len());
        if parts.path.is_empty() {
            parts.path = name.to_owned();
        }
        parts
    }
}

/// Closes the nearest `bracket` and what was opened inside it.
fn close(open: &mut Vec<char>, bracket: char) {
    if let Some(at) = open.iter().rposition(|c| *c == bracket) {
        open.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(name: &str) -> (String, String) {
        let anatomy = Anatomy::of(name);
        (anatomy.path, anatomy.arguments)
    }

    fn both(path: &str, arguments: &str) -> (String, String) {
        (path.to_owned(), arguments.to_owned())
    }

    #[test]
    fn return_type_and_parameters_are_left_out() {
        assert_eq!(
            parts(
                "void at::native::(anonymous namespace)::softmax<4, c10::Half>(c10::Half*, int) [clone .kd]"
            ),
            both("at::native::softmax", "4, c10::Half")
        );
        assert_eq!(
            parts("ncclDevKernel_AllGather_RING_LL(ncclDevKernelArgsStorage<4096ul>)"),
            both("ncclDevKernel_AllGather_RING_LL", "")
        );
        assert_eq!(
            parts(
                "std::enable_if<(((8)>(0)))&&vllm::_typeConvert<c10::BFloat16>::exists, void>::type vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(c10::BFloat16*)"
            ),
            both("vllm::fused_add_rms_norm_kernel", "c10::BFloat16, 8")
        );
        assert_eq!(
            parts("unsigned long foo::bar<decltype(nullptr), (a)(1)>(int) const"),
            both("foo::bar", "decltype(nullptr), (a)(1)")
        );
    }

    #[test]
    fn lambdas_and_comparisons_keep_the_brackets_balanced() {
        let (path, arguments) = parts(
            "void at::native::elementwise_kernel<128, at::native::copy(at::T&)::{lambda()#3}::operator()() const::{lambda(float)#1}>(at::T&, int)",
        );
        assert_eq!(path, "at::native::elementwise_kernel");
        assert!(
            arguments.starts_with("128, at::native::copy(at::T&)"),
            "{arguments}"
        );
        assert_eq!(parts("void f<(1<2), (3>2), x>(int)").0, "f");
        assert_eq!(parts("void f<(a->b)>(int)"), both("f", "(a->b)"));
        assert_eq!(parts("void ns::Foo<int>::operator()(int)").0, "ns::Foo");
    }

    #[test]
    fn a_plain_name_is_all_path() {
        assert_eq!(parts("_fwd_kernel"), both("_fwd_kernel", ""));
        assert_eq!(parts("my odd name"), both("my odd name", ""));
        assert_eq!(
            parts("Memcpy DtoH (Device -> Pageable)"),
            both("Memcpy DtoH (Device -> Pageable)", "")
        );
        assert_eq!(parts("foo.kd"), both("foo", ""));
        assert_eq!(parts("(((<<<"), both("(((<<<", ""));
    }

    #[test]
    fn function_is_the_last_segment() {
        assert_eq!(Anatomy::of("void a::b::c<int>(int)").function(), "c");
    }

    proptest! {
        #[test]
        fn any_text_has_an_anatomy(name in "[a-z<>(){}:, \\-_Z0-9]{0,80}") {
            let anatomy = Anatomy::of(&name);
            prop_assert!(anatomy.path.len().max(anatomy.arguments.len()) <= name.len());
            prop_assert!(!anatomy.path.is_empty() || name.trim().trim_end_matches(".kd").is_empty());
        }
    }
}
