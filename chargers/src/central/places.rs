//! Places for connections that have not become websockets yet.
//!
//! There are so many. When all are taken, the oldest connection of the address that holds most of them makes room, so that no host
//! keeps the others out: not the charge points of the house, and not the newcomer.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// All places; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

/// The places that are taken. Who holds a place is ended by dropping its sender.
#[derive(Debug, Default)]
struct Taken {
    /// Of each address its connections, the oldest first.
    by_address: BTreeMap<IpAddr, BTreeMap<u64, oneshot::Sender<()>>>,
    count: usize,
    next: u64,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, and the address that lost one for it, if none was free.
    pub(super) fn take(&self, address: IpAddr) -> (Place, Option<IpAddr>) {
        let address = address.to_canonical();
        let (sender, end) = oneshot::channel();
        let mut taken = self.lock();
        let loser = (taken.count >= self.most).then(|| taken.end_oldest());
        let number = taken.next;
        taken.next += 1;
        taken.count += 1;
        let own = taken.by_address.entry(address).or_default();
        own.insert(number, sender);
        drop(taken);
        let places = self.clone();
        let place = Place {
            places,
            address,
            number,
            end,
        };
        (place, loser.flatten())
    }
}

impl Taken {
    /// Ends the oldest connection of the address that holds most places; of equals that of the oldest.
    fn end_oldest(&mut self) -> Option<IpAddr> {
        let first = |own: &BTreeMap<u64, _>| std::cmp::Reverse(own.keys().next().copied());
        let most = |(_, own): &(&IpAddr, &BTreeMap<u64, _>)| (own.len(), first(own));
        let (&address, own) = self.by_address.iter().max_by_key(most)?;
        let number = *own.keys().next()?;
        self.remove(address, number);
        Some(address)
    }

    fn remove(&mut self, address: IpAddr, number: u64) {
        if let Some(own) = self.by_address.get_mut(&address)
            && own.remove(&number).is_some()
        {
            self.count -= 1;
            if own.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }
}

/// A place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    address: IpAddr,
    number: u64,
    end: oneshot::Receiver<()>,
}

impl Place {
    /// Waits until another connection needs the place.
    pub(super) async fn lost(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        drop((&mut self.end).await);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(self.address, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const THIRD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 3));

    fn is_lost(place: &mut Place) -> bool {
        place.end.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_of_who_holds_most_makes_room() {
        let places = Places::new(3);
        let (mut other, _) = places.take(OTHER);
        let (mut first, _) = places.take(MANY);
        let (mut second, loser) = places.take(MANY);
        assert_eq!(loser, None);
        let (mut third, loser) = places.take(THIRD);
        assert_eq!(loser, Some(MANY));
        let lost = [&mut other, &mut first, &mut second, &mut third].map(is_lost);
        assert_eq!(lost, [false, true, false, false]);
        // Of equals the oldest.
        let (_fourth, loser) = places.take(THIRD);
        assert_eq!((loser, is_lost(&mut other)), (Some(OTHER), true));
    }

    #[test]
    fn a_place_that_is_free_again_is_counted_once() {
        let places = Places::new(2);
        let (first, _) = places.take(MANY);
        let (second, _) = places.take(MANY);
        let (third, loser) = places.take(OTHER);
        assert_eq!(loser, Some(MANY));
        drop(first);
        drop(second);
        let (fourth, loser) = places.take(MANY);
        assert_eq!((loser, places.lock().count), (None, 2));
        drop((third, fourth));
        let taken = places.lock();
        assert_eq!((taken.count, taken.by_address.len()), (0, 0));
    }
}
