//! One document as a tree of nodes, each with its place in the text.

#[cfg(test)]
mod tests;

use std::ops::Range;

/// How deep collections may nest. It bounds the stack of every walk through a tree.
pub(super) const MAX_DEPTH: usize = 256;

/// A document that cannot be read, or whose value cannot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Where.
    pub position: Position,
    /// The error, without its place.
    pub message: String,
}

impl ParseError {
    pub(super) fn new(position: Position, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { position, message }
    }
}

/// A place in the text of a document, relative to its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes; also the numbers and words of JSON.
    Plain,
    Single,
    Double,
    /// A block after `|` or `>`.
    Block,
}

/// The language of a document, which decides the values of its scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Json,
}

/// The number of a node in its tree. Nodes are numbered in the order of the text, collections before their entries.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Kind {
    /// The text without quotes and escapes; empty if nothing is written.
    Scalar {
        text: String,
        style: Style,
    },
    Mapping,
    Sequence,
    Alias(Id),
}

#[derive(Debug)]
pub(super) struct Raw {
    pub(super) kind: Kind,
    /// The keys and values of a mapping, with duplicates and merge keys. In a sequence, each item stands as its own key.
    pub(super) entries: Vec<(Id, Id)>,
    /// Whether a collection is written in braces or brackets.
    pub(super) flow: bool,
    /// From the tag, the anchor or the indicator to the end of the content. Block scalars end after their line breaks, other block
    /// nodes where their last node ends.
    pub(super) span: Range<usize>,
    /// The start of the content, after tag and anchor, and for a block scalar after its header.
    pub(super) content: usize,
    pub(super) position: Position,
    pub(super) parent: Option<Id>,
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<Tag>,
}

impl Raw {
    pub(super) fn new(
        kind: Kind,
        span: Range<usize>,
        position: Position,
        parent: Option<Id>,
    ) -> Self {
        Self {
            kind,
            entries: Vec::new(),
            flow: false,
            content: span.start,
            span,
            position,
            parent,
            anchor: None,
            tag: None,
        }
    }

    pub(super) const fn is_mapping(&self) -> bool {
        matches!(self.kind, Kind::Mapping)
    }

    pub(super) const fn is_sequence(&self) -> bool {
        matches!(self.kind, Kind::Sequence)
    }

    pub(super) const fn is_collection(&self) -> bool {
        self.is_mapping() || self.is_sequence()
    }

    /// The first entry of a flow collection, or of a block collection.
    pub(super) fn first(&self, flow: bool) -> Option<(Id, Id)> {
        self.entries.first().copied().filter(|_| self.flow == flow)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A tag of YAML's own, such as `str`.
    Core(String),
    /// `!` alone, which makes a scalar text, or any other tag.
    Other,
}

/// One document. It may still have duplicate keys, and scalars without a valid value.
#[derive(Debug)]
pub struct Tree {
    pub(super) nodes: Vec<Raw>,
    pub(super) root: Option<Id>,
    pub(super) format: Format,
    /// The spans of all comments, in order.
    pub(super) comments: Vec<Range<usize>>,
    pub(super) text_len: usize,
}

impl Tree {
    pub(super) const fn new(format: Format, text: &str) -> Self {
        Self {
            nodes: Vec::new(),
            root: None,
            format,
            comments: Vec::new(),
            text_len: text.len(),
        }
    }

    /// The outermost node; a document of comments has none.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        self.root.map(|id| Node { tree: self, id })
    }

    pub(super) fn raw(&self, id: Id) -> &Raw {
        &self.nodes[id]
    }

    /// The node itself, or the node that its alias stands for.
    pub(super) fn target(&self, id: Id) -> Id {
        match self.nodes[id].kind {
            Kind::Alias(target) => target, // an alias cannot have an anchor, so this is never an alias
            _ => id,
        }
    }

    /// Goes back from `at` over white space, line breaks and comments.
    pub(super) fn back(&self, text: &str, at: usize) -> usize {
        let mut at = at;
        loop {
            let kept = text.get(..at).unwrap_or_default();
            at = kept.trim_end_matches([' ', '\t', '\r', '\n']).len();
            let comment = self.comments.partition_point(|comment| comment.end < at);
            match self.comments.get(comment) {
                Some(comment) if comment.start < at => at = comment.start,
                _ => return at,
            }
        }
    }

    /// The place of the dash before an item of a block sequence.
    pub(super) fn dash(&self, text: &str, item: Id) -> Option<usize> {
        let at = self.back(text, self.raw(item).span.start).checked_sub(1)?;
        (text.as_bytes().get(at) == Some(&b'-')).then_some(at)
    }
}

/// A node of a [`Tree`]. Its methods follow an alias.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    pub(super) tree: &'t Tree,
    pub(super) id: Id,
}

impl<'t> Node<'t> {
    fn target(self) -> &'t Raw {
        self.tree.raw(self.tree.target(self.id))
    }

    /// The start of the node itself, also if it is an alias.
    #[must_use]
    pub fn position(self) -> Position {
        self.tree.raw(self.id).position
    }

    /// The keys and values of a mapping as written, with duplicates and merge keys.
    #[must_use]
    pub fn as_mapping(self) -> Option<impl ExactSizeIterator<Item = (Self, Self)> + 't> {
        let Self { tree, .. } = self;
        let raw = self.target();
        let entries = raw.entries.iter();
        raw.is_mapping().then(|| {
            entries.map(move |&(key, value)| (Self { tree, id: key }, Self { tree, id: value }))
        })
    }

    /// The items of a sequence.
    #[must_use]
    pub fn as_sequence(self) -> Option<impl ExactSizeIterator<Item = Self> + 't> {
        let Self { tree, .. } = self;
        let raw = self.target();
        let items = raw.entries.iter();
        raw.is_sequence()
            .then(|| items.map(move |&(_, id)| Self { tree, id }))
    }

    /// The text of a scalar of any type: `1` for both `1` and `"1"`.
    #[must_use]
    pub fn as_str(self) -> Option<&'t str> {
        match &self.target().kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}
