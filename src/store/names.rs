//! The names of personas: each is found by itself, and by what it looks like. Both entries are made and removed here, together.
//!
//! Whoever changes what looks alike ([`crate::look_alike`]) has the entries made anew, by a new kind of key.

use super::error::StoreError;
use super::key;
use super::records::persona::PersonaRecord;
use super::table::{Table, Transaction};
use mco_proto::ids::{PersonaId, ShardId};

/// Makes the entries of a name.
pub(super) fn enter(
    tx: &Transaction<'_>,
    shard: ShardId,
    name: &str,
    id: PersonaId,
) -> Result<(), StoreError> {
    tx.put(&key::persona_name(shard, name), &id.0)?;
    tx.put(&key::persona_like(shard, name, id), &id.0)
}

/// Removes them.
pub(super) fn strike(
    tx: &Transaction<'_>,
    shard: ShardId,
    name: &str,
    id: PersonaId,
) -> Result<(), StoreError> {
    tx.remove(&key::persona_name(shard, name))?;
    tx.remove(&key::persona_like(shard, name, id))
}

/// Whether a persona of the shard, other than `except`, has a name that looks like this one. Of names from before that mattered, several
/// may look alike.
pub(super) fn is_taken(
    table: &Table,
    shard: ShardId,
    name: &str,
    except: Option<PersonaId>,
) -> Result<bool, StoreError> {
    let alike = table.scan::<u32>(&key::personas_like(shard, name))?;
    Ok(alike.into_iter().any(|id| except != Some(PersonaId(id))))
}

/// Makes the entries of what names look like, which older programs did not.
pub(super) fn enter_all(table: &Table) -> Result<(), StoreError> {
    let _write_lock = table.write_lock();
    for PersonaRecord { persona, .. } in table.scan(key::PERSONAS)? {
        let entry = key::persona_like(persona.shard, &persona.name, persona.id);
        if table.get::<u32>(&entry)?.is_none() {
            table.transact(|tx| tx.put(&entry, &persona.id.0))?;
            table.hand_over()?;
        }
    }
    Ok(())
}
