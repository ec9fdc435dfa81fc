//! The machine's files in memory, before anything is written.
//!
//! Names are matched without regard to case, as Windows does; a name that differs only in case is the same file.

use std::collections::BTreeMap;

/// What one name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A folder.
    Folder,
    /// A file: the number of its content, which names may share as hard links do.
    File(usize),
    /// A symbolic link.
    Link(String),
}

/// A file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether the read-only attribute is set.
    pub(super) read_only: bool,
}

/// All files of a machine.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Lower-case path to the path as written and what is there. Folders stand before what they hold.
    nodes: BTreeMap<String, (String, Node)>,
    contents: Vec<Content>,
    /// Lower-case path to its date in seconds since 1970.
    dates: BTreeMap<String, u64>,
}

impl Tree {
    /// Every name in an order in which folders come before what they hold.
    pub(super) fn nodes(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> {
        self.nodes.values().map(|(path, node)| (path.as_str(), node))
    }

    /// The content with that number.
    pub(super) fn content(&self, number: usize) -> Option<&Content> {
        self.contents.get(number)
    }

    /// Makes a folder and those above it; gives the path with the case of the folders that were there before.
    pub(super) fn add_folder(&mut self, path: &str) -> Result<String, String> {
        let mut written = String::new();
        for part in path.split('/') {
            let here = if written.is_empty() { part.to_string() } else { format!("{written}/{part}") };
            match self.nodes.get(&key(&here)) {
                Some((found, Node::Folder)) => written.clone_from(found),
                Some((found, _)) => return Err(format!("{found} is there already and is not a folder")),
                None => {
                    self.nodes.insert(key(&here), (here.clone(), Node::Folder));
                    written = here;
                }
            }
        }
        Ok(written)
    }

    /// Makes or replaces a file; other names of a replaced file keep the old content.
    pub(super) fn add_file(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), String> {
        let number = self.contents.len();
        self.contents.push(Content { bytes, read_only: false });
        self.put(path, Node::File(number))
    }

    /// Makes a symbolic link.
    pub(super) fn add_link(&mut self, path: &str, target: &str) -> Result<(), String> {
        self.put(path, Node::Link(target.to_string()))
    }

    /// Gives an existing file another name.
    pub(super) fn add_hard_link(&mut self, path: &str, other: &str) -> Result<(), String> {
        let number = self.file(other)?;
        self.put(path, Node::File(number))
    }

    /// Sets the read-only attribute of a file.
    pub(super) fn set_read_only(&mut self, path: &str) -> Result<(), String> {
        let number = self.file(path)?;
        let content = self.contents.get_mut(number).ok_or_else(|| format!("{path} has no content"))?;
        content.read_only = true;
        Ok(())
    }

    /// Dates a file or folder that exists.
    pub(super) fn set_date(&mut self, path: &str, unix: u64) -> Result<(), String> {
        if !self.nodes.contains_key(&key(path)) {
            return Err(format!("{path} is not there"));
        }
        self.dates.insert(key(path), unix);
        Ok(())
    }

    /// The date of a file or folder, when it was given one.
    pub(super) fn date(&self, path: &str) -> Option<u64> {
        self.dates.get(&key(path)).copied()
    }

    /// Moves a file or a folder with all below it.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), String> {
        if self.nodes.contains_key(&key(to)) {
            return Err(format!("{to} is there already"));
        }
        for (path, node) in self.take(from)? {
            let tail = path.get(from.len()..).unwrap_or("");
            let path = format!("{to}{tail}");
            match node {
                Node::Folder => self.add_folder(&path).map(|_| ())?,
                node => self.put(&path, node)?,
            }
        }
        Ok(())
    }

    /// Removes a file or a folder with all below it.
    pub(super) fn delete(&mut self, path: &str) -> Result<(), String> {
        self.take(path).map(|_| ())
    }

    /// The content of an existing file.
    pub(super) fn bytes(&self, path: &str) -> Result<&[u8], String> {
        let number = self.file(path)?;
        self.content(number).map(|content| content.bytes.as_slice()).ok_or_else(|| format!("{path} has no content"))
    }

    fn file(&self, path: &str) -> Result<usize, String> {
        match self.nodes.get(&key(path)) {
            Some((_, Node::File(number))) => Ok(*number),
            Some(_) => Err(format!("{path} is not a file")),
            None => Err(format!("{path} is not there")),
        }
    }

    fn put(&mut self, path: &str, node: Node) -> Result<(), String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let path = if folder.is_empty() { name.to_string() } else { format!("{}/{name}", self.add_folder(folder)?) };
        if let Some((found, Node::Folder)) = self.nodes.get(&key(&path)) {
            return Err(format!("{found} is there already and is a folder"));
        }
        self.nodes.insert(key(&path), (path, node));
        Ok(())
    }

    /// Takes a name and all below it out of the tree.
    fn take(&mut self, path: &str) -> Result<Vec<(String, Node)>, String> {
        let own = key(path);
        let below = format!("{own}/");
        let names: Vec<String> = self.nodes.keys().filter(|name| **name == own || name.starts_with(&below)).cloned().collect();
        if names.is_empty() {
            return Err(format!("{path} is not there"));
        }
        Ok(names.iter().filter_map(|name| self.nodes.remove(name)).collect())
    }
}

fn key(path: &str) -> String {
    path.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.nodes().map(|(path, _)| path).collect()
    }

    #[test]
    fn case_of_existing_folders_is_kept() {
        let mut tree = Tree::default();
        tree.add_folder("Windows/System32").unwrap();
        tree.add_file("windows/SYSTEM32/a.dll", vec![1]).unwrap();
        assert_eq!(paths(&tree), ["Windows", "Windows/System32", "Windows/System32/a.dll"]);
    }

    #[test]
    fn a_folder_moves_with_what_it_holds_and_hard_links_stay_linked() {
        let mut tree = Tree::default();
        tree.add_file("a/b/c", vec![1]).unwrap();
        tree.add_hard_link("d", "A/B/C").unwrap();
        tree.rename("a/b", "e").unwrap();
        assert_eq!(paths(&tree), ["a", "d", "e", "e/c"]);
        assert_eq!(tree.file("e/c"), tree.file("d"));
        tree.add_file("d", vec![2]).unwrap();
        assert_ne!(tree.file("e/c"), tree.file("d"));
    }

    #[test]
    fn what_is_not_there_or_in_the_way_is_a_fault() {
        let mut tree = Tree::default();
        tree.add_file("a", vec![]).unwrap();
        assert!(tree.add_folder("a/b").is_err());
        assert!(tree.delete("b").is_err());
        assert!(tree.rename("b", "c").is_err());
        assert!(tree.add_hard_link("x", "nothing").is_err());
        tree.add_folder("d").unwrap();
        assert!(tree.rename("a", "d").is_err());
        assert!(tree.add_file("d", vec![]).is_err());
    }
}
