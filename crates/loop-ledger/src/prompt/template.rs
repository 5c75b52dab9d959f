//! `{{name}}` in a text becomes the value of that name. Nothing else: a template with branches would be a program.

/// A template that cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// Nobody knows the name.
    #[error("fill {{{{{0}}}}}: no value has that name")]
    Unknown(String),
    /// The closing braces are missing.
    #[error("find the end of the placeholder at byte {0}")]
    Unclosed(usize),
}

/// The text with its placeholders filled. What comes out of a value is not looked at again.
///
/// # Errors
/// A placeholder without a value, or without an end.
pub(crate) fn fill<'a>(
    template: &str,
    value: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, TemplateError> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            return Err(TemplateError::Unclosed(template.len() - after.len() - 2));
        };
        out.push_str(before);
        out.push_str(value(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(name: &str) -> Option<&'static str> {
        (name == "model").then_some("{{model}}")
    }

    #[test]
    fn a_name_becomes_its_value_once() {
        assert_eq!(fill("a {{model}} b", model), Ok("a {{model}} b".to_owned()));
        assert_eq!(
            fill("{{colour}}", model),
            Err(TemplateError::Unknown("colour".to_owned()))
        );
        assert_eq!(fill("a {{model", model), Err(TemplateError::Unclosed(2)));
    }

    proptest! {
        #[test]
        fn any_text_is_filled_or_refused(text in "[a-z{} ]{0,60}") {
            match fill(&text, |_| Some("V")) {
                Ok(filled) => prop_assert!(!filled.contains("{{")),
                Err(TemplateError::Unclosed(at)) => prop_assert!(text[at..].starts_with("{{")),
                Err(TemplateError::Unknown(_)) => prop_assert!(false, "every name has a value here"),
            }
        }
    }
}
