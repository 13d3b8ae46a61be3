//! The Merkle tree against the published vectors of Certificate Transparency (RFC 6962), every proof of
//! every tree up to 130 leaves, and what a proof must not survive.

use domain::chain::merkle::{MemoryRows, empty_root, leaf_hash};
use domain::chain::proof::{check_consistency, check_inclusion, prove_consistency, prove_inclusion, root};
use domain::kernel::Digest;

/// The inputs and roots of the reference implementation's tests (google/certificate-transparency).
const VECTORS: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
];

fn leaf(n: u64) -> Digest {
    leaf_hash(&n.to_be_bytes())
}

#[test]
fn roots_are_those_of_the_reference_implementation() {
    assert_eq!(empty_root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let mut tree = MemoryRows::new();
    for (input, expected) in VECTORS {
        tree.append(leaf_hash(&hex::decode(input).expect("hexadecimal")));
        assert_eq!(tree.root().to_string(), expected);
    }
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_nothing_else_is() {
    let tree = MemoryRows::of((0..130).map(leaf));
    for size in 1..=130_u64 {
        let head = root(&tree, size).expect("a root");
        for index in 0..size {
            let path = prove_inclusion(&tree, index, size).expect("a proof");
            assert_eq!(check_inclusion(&leaf(index), index, size, &path, &head), Ok(()));
            assert!(check_inclusion(&leaf(index + 1), index, size, &path, &head).is_err());
            assert!(check_inclusion(&leaf(index), index, size, &[path.as_slice(), &[head]].concat(), &head).is_err());
            assert!(path.is_empty() || check_inclusion(&leaf(index), index, size, &path[1..], &head).is_err());
            assert!(check_inclusion(&leaf(index), index ^ 1, size, &path, &head).is_err() || size == 1);
        }
    }
}

#[test]
fn every_small_tree_extends_every_smaller_one_and_no_other() {
    let tree = MemoryRows::of((0..130).map(leaf));
    let other = MemoryRows::of((1..131).map(leaf));
    for size in 1..=130_u64 {
        let head = root(&tree, size).expect("a root");
        for from in 1..=size {
            let before = root(&tree, from).expect("a root");
            let path = prove_consistency(&tree, from, size).expect("a proof");
            assert_eq!(check_consistency((from, &before), (size, &head), &path), Ok(()));
            let forged = root(&other, from).expect("a root");
            assert!(check_consistency((from, &forged), (size, &head), &path).is_err());
            assert!(check_consistency((from, &before), (size, &forged), &path).is_err());
        }
    }
}
