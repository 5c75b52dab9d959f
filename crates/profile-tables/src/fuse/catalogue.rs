//! The list of known fusions, and its file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::pattern::{Kernel, Pattern};

const BUILTIN: &str = include_str!("catalogue.yaml");

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::parse(BUILTIN).expect("catalogue.yaml is embedded and a test reads it"));

/// Known fusions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Kinds of kernels that steps name.
    pub kernels: BTreeMap<String, Kernel>,
    /// The fusions, in the file's order.
    pub patterns: Vec<Pattern>,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file does not read.
    #[error("read the catalogue of fusions: {0}")]
    NotReadable(String),
    /// A step names a kind of kernel that the file does not have.
    #[error("read the catalogue of fusions: `{pattern}` names `{kernel}`, which is not among its kernels")]
    UnknownKernel {
        /// The fusion.
        pattern: String,
        /// The name that is missing.
        kernel: String,
    },
    /// A fusion that could never be found, or would be found everywhere.
    #[error("read the catalogue of fusions: `{pattern}` {what}")]
    Unusable {
        /// The fusion.
        pattern: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Catalogue {
    /// The catalogue of this release.
    pub fn builtin() -> &'static Self {
        &CATALOGUE
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// Where the text is no catalogue, or a row cannot be used.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self =
            serde_saphyr::from_str(text).map_err(|error| CatalogueError::NotReadable(error.to_string()))?;
        catalogue
            .patterns
            .iter()
            .try_for_each(|pattern| catalogue.check(pattern))?;
        Ok(catalogue)
    }

    fn check(&self, pattern: &Pattern) -> Result<(), CatalogueError> {
        let named = pattern.split.iter().map(|step| &step.is).chain(&pattern.skip);
        if let Some(kernel) = named
            .into_iter()
            .find(|kernel| !self.kernels.contains_key(*kernel))
        {
            return Err(CatalogueError::UnknownKernel {
                pattern: pattern.name.clone(),
                kernel: kernel.clone(),
            });
        }
        let unusable = |what| {
            Err(CatalogueError::Unusable {
                pattern: pattern.name.clone(),
                what,
            })
        };
        if pattern.split.iter().filter(|step| !step.optional).count() < 2 {
            return unusable("needs two kernels that are not optional");
        }
        if pattern.split.iter().all(|step| step.saves.is_none()) {
            return unusable("removes no kernel");
        }
        if pattern
            .split
            .iter()
            .filter_map(|step| step.saves)
            .any(|(saved, of)| saved > of || of == 0)
        {
            return unusable("saves more than there is");
        }
        if pattern.fused.as_ref().is_some_and(|fused| !fused.is_specific()) {
            return unusable("has a fused kernel that every kernel is");
        }
        Ok(())
    }
}
