//! The prefix cache: a radix tree over token ids whose edges are whole pages, with the least recently used leaf as
//! the first to go.
//!
//! ```text
//! root ── [a b c d] ── [e f]      a prompt "a b c d x y" shares four tokens,
//!                   └─ [x y]      and gets a leaf of its own for the rest
//! ```

use std::collections::BTreeMap;

use slab::Slab;

/// Position of the root.
const ROOT: usize = 0;

#[derive(Debug)]
struct Node {
    parent: usize,
    tokens: Vec<u32>,
    /// By the first page of the child: two children may begin with the same token, never with the same page.
    children: BTreeMap<Vec<u32>, usize>,
    locks: u32,
    used: u64,
}

/// The tree.
#[derive(Debug)]
pub(super) struct Radix {
    nodes: Slab<Node>,
    page: usize,
    tick: u64,
    tokens: u64,
    evictable: u64,
}

impl Radix {
    pub(super) fn new(page: u64) -> Radix {
        let mut nodes = Slab::new();
        let root = Node {
            parent: ROOT,
            tokens: Vec::new(),
            children: BTreeMap::new(),
            locks: 1,
            used: 0,
        };
        nodes.insert(root);
        Radix {
            nodes,
            page: page.max(1) as usize,
            tick: 0,
            tokens: 0,
            evictable: 0,
        }
    }

    /// Tokens held.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Tokens held that no sequence uses.
    pub(super) fn evictable(&self) -> u64 {
        self.evictable
    }

    /// How many tokens from the start are held, without touching anything.
    pub(super) fn peek(&self, tokens: &[u32]) -> u64 {
        let mut at = ROOT;
        let mut matched = 0;
        while let Some((child, common)) = self.child(at, &tokens[matched..]) {
            matched += common;
            if common < self.nodes[child].tokens.len() {
                break;
            }
            at = child;
        }
        matched as u64
    }

    /// The node at which the longest held prefix ends, split off if needed, and the length of that prefix.
    pub(super) fn find(&mut self, tokens: &[u32]) -> (usize, u64) {
        self.tick += 1;
        let mut at = ROOT;
        let mut matched = 0;
        while let Some((child, common)) = self.child(at, &tokens[matched..]) {
            matched += common;
            let whole = common == self.nodes[child].tokens.len();
            at = if whole { child } else { self.split(child, common) };
            self.nodes[at].used = self.tick;
            if !whole {
                break;
            }
        }
        (at, matched as u64)
    }

    /// Holds these tokens, whole pages only; returns the node at their end, their length, and how many were new.
    pub(super) fn insert(&mut self, tokens: &[u32]) -> (usize, u64, u64) {
        let whole = tokens.len() / self.page * self.page;
        let tokens = &tokens[..whole];
        let (at, matched) = self.find(tokens);
        let rest = &tokens[matched as usize..];
        if rest.is_empty() {
            return (at, whole as u64, 0);
        }
        let leaf = Node {
            parent: at,
            tokens: rest.to_vec(),
            children: BTreeMap::new(),
            locks: 0,
            used: self.tick,
        };
        let key = self.nodes.insert(leaf);
        self.nodes[at].children.insert(rest[..self.page].to_vec(), key);
        self.tokens += rest.len() as u64;
        self.evictable += rest.len() as u64;
        (key, whole as u64, rest.len() as u64)
    }

    /// Keeps a node and everything above it.
    pub(super) fn lock(&mut self, node: usize) {
        let mut at = node;
        while at != ROOT {
            let node = &mut self.nodes[at];
            if node.locks == 0 {
                self.evictable -= node.tokens.len() as u64;
            }
            node.locks += 1;
            at = node.parent;
        }
    }

    /// Gives it free again.
    pub(super) fn unlock(&mut self, node: usize) {
        let mut at = node;
        while at != ROOT {
            let node = &mut self.nodes[at];
            node.locks -= 1;
            if node.locks == 0 {
                self.evictable += node.tokens.len() as u64;
            }
            at = node.parent;
        }
    }

    /// Drops least recently used leaves until so many tokens are free; returns how many are.
    pub(super) fn evict(&mut self, wanted: u64) -> u64 {
        let mut freed = 0;
        while freed < wanted {
            let free = self
                .nodes
                .iter()
                .filter(|(_, node)| node.locks == 0 && node.children.is_empty());
            let Some((key, _)) = free.min_by_key(|(key, node)| (node.used, *key)) else {
                break;
            };
            let node = self.nodes.remove(key);
            self.nodes[node.parent].children.remove(&node.tokens[..self.page]);
            let tokens = node.tokens.len() as u64;
            self.tokens -= tokens;
            self.evictable -= tokens;
            freed += tokens;
        }
        freed
    }

    /// The child that shares whole pages with the tokens, and how many tokens that is.
    fn child(&self, at: usize, tokens: &[u32]) -> Option<(usize, usize)> {
        let key = *self.nodes[at].children.get(tokens.get(..self.page)?)?;
        let edge = &self.nodes[key].tokens;
        let pages = edge.chunks(self.page).zip(tokens.chunks(self.page));
        let common = pages.take_while(|(held, asked)| held == asked).count() * self.page;
        Some((key, common))
    }

    /// Makes two nodes of one; returns the upper one.
    fn split(&mut self, key: usize, at: usize) -> usize {
        let lower = self.nodes[key].tokens.split_off(at);
        let upper = std::mem::replace(&mut self.nodes[key].tokens, lower);
        let (parent, locks, used) = (
            self.nodes[key].parent,
            self.nodes[key].locks,
            self.nodes[key].used,
        );
        let upper_key = upper[..self.page].to_vec();
        let lower_key = self.nodes[key].tokens[..self.page].to_vec();
        let children = BTreeMap::from([(lower_key, key)]);
        let middle = self.nodes.insert(Node {
            parent,
            tokens: upper,
            children,
            locks,
            used,
        });
        self.nodes[key].parent = middle;
        self.nodes[parent].children.insert(upper_key, middle);
        middle
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_whole_pages_and_splits_where_prompts_part() {
        let mut radix = Radix::new(2);
        assert_eq!(radix.insert(&[1, 2, 3, 4, 5]).1, 4);
        assert_eq!(radix.find(&[1, 2, 3, 9]).1, 2);
        assert_eq!(radix.insert(&[1, 2, 7, 8]).2, 2);
        assert_eq!(radix.find(&[1, 2, 3, 4]).1, 4);
        assert_eq!((radix.tokens(), radix.evictable()), (6, 6));
    }

    #[test]
    fn evicts_the_oldest_leaf_that_nobody_uses() {
        let mut radix = Radix::new(1);
        let (old, ..) = radix.insert(&[1, 2]);
        radix.insert(&[3, 4]);
        radix.lock(old);
        assert_eq!(radix.evict(10), 2);
        assert_eq!((radix.peek(&[1, 2]), radix.peek(&[3, 4])), (2, 0));
        radix.unlock(old);
        assert_eq!(radix.evict(1), 2);
        assert_eq!(radix.tokens(), 0);
    }

    proptest! {
        #[test]
        fn finds_exactly_what_a_list_of_prefixes_would(
            page in 1..4u64,
            prompts in prop::collection::vec(prop::collection::vec(0..3u32, 0..14), 1..20),
        ) {
            let mut radix = Radix::new(page);
            let mut held: Vec<Vec<u32>> = Vec::new();
            for prompt in prompts {
                let common = |other: &Vec<u32>| {
                    other.iter().zip(&prompt).take_while(|(left, right)| left == right).count() as u64 / page * page
                };
                let longest = held.iter().map(common).max().unwrap_or(0);
                prop_assert_eq!(radix.peek(&prompt), longest);
                prop_assert_eq!(radix.find(&prompt).1, longest);
                let (_, length, new) = radix.insert(&prompt);
                prop_assert_eq!(length, prompt.len() as u64 / page * page);
                prop_assert_eq!(new, length - longest);
                held.push(prompt[..length as usize].to_vec());
            }
            prop_assert_eq!(radix.tokens(), radix.evictable());
            let all = radix.tokens();
            prop_assert_eq!(radix.evict(u64::MAX), all);
        }
    }
}
