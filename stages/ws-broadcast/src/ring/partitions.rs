//! Which positions are in the ring: the index by which duplicates are told.
//!
//! Invariant: a partition's index holds exactly the positions of its current epoch that are in the ring.

use std::collections::HashMap;

/// Most partitions that a server knows. More than any sane set of topics has; a bound on what a confused writer costs.
const MOST: usize = 16_384;

/// Number of a partition in this ring.
pub(crate) type PartitionId = u32;

/// What becomes of a message with a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is in the ring already.
    Duplicate,
    /// It is in the ring as another server told it, and comes by POST for the first time.
    Repeat(PartitionId),
    /// It is the partition's newest.
    InOrder(PartitionId),
    /// A newer one is or was in the ring, this one is not.
    OutOfOrder(PartitionId),
    /// Its offset was taken by another message: the partition began again.
    NewEpoch(PartitionId),
}

/// There is no room for another partition.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("too many partitions: a server keeps positions of at most {MOST}")]
pub(crate) struct TooManyPartitions;

/// All partitions that the server has seen.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    ids: HashMap<String, HashMap<i32, PartitionId>>,
    list: Vec<Partition>,
}

/// One partition.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    index: HashMap<i64, Place>,
    newest: Option<Newest>,
    local: Local,
    reset: Option<Reset>,
}

/// What came by POST in the current epoch, by its highest offsets; -1 for nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    /// Of all.
    pub(crate) newest: i64,
    /// Of what the ring holds no longer.
    pub(crate) evicted: i64,
}

impl Local {
    const NOTHING: Self = Self {
        newest: -1,
        evicted: -1,
    };
}

/// A position that is in the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) timestamp: Option<i64>,
    pub(super) sequence: u64,
    /// It came by POST.
    pub(super) local: bool,
}

/// The highest offset of the current epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newest {
    pub(crate) offset: i64,
    pub(crate) timestamp: Option<i64>,
}

/// The last time that a partition began again.
#[derive(Debug)]
pub(crate) struct Reset {
    /// Sequence number of the announcement.
    pub(crate) sequence: u64,
    /// The announcement.
    pub(crate) frame: Box<[u8]>,
    /// The highest offset of the epoch before.
    pub(crate) before: i64,
}

impl Partitions {
    pub(super) fn intern(
        &mut self,
        topic: &str,
        partition: i32,
    ) -> Result<PartitionId, TooManyPartitions> {
        if let Some(id) = self.ids.get(topic).and_then(|ids| ids.get(&partition)) {
            return Ok(*id);
        }
        if self.list.len() == MOST {
            return Err(TooManyPartitions);
        }
        let id = PartitionId::try_from(self.list.len()).map_err(|_| TooManyPartitions)?;
        self.ids
            .entry(topic.to_owned())
            .or_default()
            .insert(partition, id);
        self.list.push(Partition {
            topic: topic.to_owned(),
            partition,
            index: HashMap::new(),
            newest: None,
            local: Local::NOTHING,
            reset: None,
        });
        Ok(id)
    }

    pub(super) fn admit(
        &self,
        id: PartitionId,
        offset: i64,
        timestamp: Option<i64>,
        local: bool,
    ) -> Admission {
        let Some(known) = self.get(id) else {
            return Admission::InOrder(id);
        };
        match (known.index.get(&offset), known.newest) {
            (Some(place), _) if differ(place.timestamp, timestamp) => Admission::NewEpoch(id),
            (Some(place), _) if local && !place.local => Admission::Repeat(id),
            (Some(_), _) => Admission::Duplicate,
            (None, Some(newest)) if offset < newest.offset => Admission::OutOfOrder(id),
            (None, _) => Admission::InOrder(id),
        }
    }

    pub(super) fn insert(&mut self, id: PartitionId, offset: i64, place: Place) {
        let Some(known) = self.get_mut(id) else {
            return;
        };
        known.index.insert(offset, place);
        if place.local {
            known.local.newest = known.local.newest.max(offset);
        }
        if known.newest.is_none_or(|newest| newest.offset < offset) {
            let timestamp = place.timestamp;
            known.newest = Some(Newest { offset, timestamp });
        }
    }

    /// Notes that a position, which was told by another server, came by POST too.
    pub(super) fn came_by_post(&mut self, id: PartitionId, offset: i64) {
        let Some(known) = self.get_mut(id) else {
            return;
        };
        known.local.newest = known.local.newest.max(offset);
        if let Some(place) = known.index.get_mut(&offset) {
            place.local = true;
        }
    }

    /// Notes that what came by POST at `sequence` is no longer in the ring.
    pub(super) fn lost_local(&mut self, id: PartitionId, offset: i64, sequence: u64) {
        let Some(known) = self.get_mut(id) else {
            return;
        };
        let of_epoch = known
            .reset
            .as_ref()
            .is_none_or(|reset| reset.sequence < sequence);
        if of_epoch {
            known.local.evicted = known.local.evicted.max(offset);
        }
    }

    pub(super) fn remove(&mut self, id: PartitionId, offset: i64, sequence: u64) {
        let Some(known) = self.get_mut(id) else {
            return;
        };
        // An entry of an epoch before may share the offset of one that is still in the ring.
        if known
            .index
            .get(&offset)
            .is_some_and(|place| place.sequence == sequence)
        {
            known.index.remove(&offset);
        }
    }

    pub(super) fn reset(&mut self, id: PartitionId, sequence: u64, frame: Box<[u8]>) {
        let Some(known) = self.get_mut(id) else {
            return;
        };
        known.index.clear();
        known.local = Local::NOTHING;
        let before = known.newest.take().map_or(-1, |newest| newest.offset);
        known.reset = Some(Reset {
            sequence,
            frame,
            before,
        });
    }

    pub(crate) fn get(&self, id: PartitionId) -> Option<&Partition> {
        self.list.get(id as usize)
    }

    fn get_mut(&mut self, id: PartitionId) -> Option<&mut Partition> {
        self.list.get_mut(id as usize)
    }

    /// Walks over all partitions with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PartitionId, &Partition)> {
        (0..).zip(&self.list)
    }
}

impl Partition {
    /// The highest offset of the current epoch.
    pub(crate) fn newest(&self) -> Option<Newest> {
        self.newest
    }

    /// What came by POST in the current epoch.
    pub(crate) fn local(&self) -> Local {
        self.local
    }

    /// The last time that the partition began again.
    pub(crate) fn reset(&self) -> Option<&Reset> {
        self.reset.as_ref()
    }

    /// Tells whether a client that has everything up to `offset` has it of the current epoch. Positions do not say of
    /// which epoch they are: one that only the epoch before can have reached is taken for one of that epoch.
    pub(crate) fn is_current(&self, offset: i64) -> bool {
        let newest = self.newest.map_or(-1, |newest| newest.offset);
        self.reset
            .as_ref()
            .is_none_or(|reset| offset <= newest || offset > reset.before)
    }
}

/// Two messages of one offset differ when both timestamps are known and not the same.
fn differ(one: Option<i64>, other: Option<i64>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}
