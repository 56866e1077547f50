//! The bodies that say what became of a request, and the request that most of MCOTS is made of.

use super::generic::{GenericReply, GenericRequest};
use super::message::{Body, Number};
use super::number;
use crate::ids::{PartId, VehicleId};

impl GenericRequest {
    /// The body in which `number` asks for `data`.
    pub fn body(number: Number, data: u32) -> Body {
        Body::carrying(number, &Self { data, data2: 0 })
    }
}

impl GenericReply {
    /// 101: `request` is done.
    pub fn success(request: Number) -> Body {
        Body::carrying(number::SUCCESS, &Self { request, result: 0, data: 0, data2: 0 })
    }

    /// 102: `request` is refused, for `reason`, if one fits.
    pub fn failed(request: Number, reason: Option<Number>) -> Body {
        let result = reason.map_or(0, |reason| reason.0.into());
        Body::carrying(number::FAILED, &Self { request, result, data: 0, data2: 0 })
    }

    /// 103: `request` is done and `value` is the outcome.
    pub fn value(request: Number, value: u32) -> Body {
        Body::carrying(number::GENERIC_REPLY, &Self { request, result: value, data: 0, data2: 0 })
    }
}

/// The answer to 142. One server sent 103 with 101 as the value and the car in `data`, and a Client took it (*seen in
/// use*); a later one is said to send 101 itself, for which nobody vouches. So 103, with both numbers where both put them.
pub fn car_bought(car: VehicleId) -> Body {
    let reply = GenericReply {
        request: number::PURCHASE_STOCK_CAR,
        result: number::SUCCESS.0.into(),
        data: car.0,
        data2: 0,
    };
    Body::carrying(number::GENERIC_REPLY, &reply)
}

/// The answer to 176. The part's number stood in one of two fields, nobody says in which: here it is in both.
pub fn part_bought(part: PartId) -> Body {
    let reply = GenericReply { request: number::BUY_NEW_PART, result: part.0, data: part.0, data2: 0 };
    Body::carrying(number::SUCCESS, &reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::for_any;
    use crate::mcots::message::vector;

    #[test]
    fn requests_look_as_captured() {
        assert_eq!(GenericRequest::body(number::GET_LOBBIES, 0), vector("4401 00000000 00000000"));
        assert_eq!(GenericRequest::body(number::GET_OWNED_VEHICLES, 21), vector("ac00 15000000 00000000"));
        assert_eq!(GenericRequest::body(number::GET_PLAYER_INFO, 21), vector("6c00 15000000 00000000"));
        assert_eq!(
            GenericRequest::body(number::GET_COMPLETE_VEHICLE_INFO, 1),
            vector("9100 01000000 00000000")
        );
        // A persona is being made: what does dealer 8 have?
        assert_eq!(GenericRequest::body(number::STOCK_CAR_INFO, 8), vector("8d00 08000000 00000000"));
    }

    #[test]
    fn replies_look_as_documented() {
        assert_eq!(
            GenericReply::success(number::CLIENT_CONNECT_MSG),
            vector("6500 b601 00000000 00000000 00000000")
        );
        assert_eq!(
            GenericReply::success(number::SET_OPTIONS),
            vector("6500 6d00 00000000 00000000 00000000")
        );
        assert_eq!(
            GenericReply::failed(number::RACE_JOIN, Some(number::INVALID_RACE_ID)),
            vector("6600 da00 e7000000 00000000 00000000")
        );
        assert_eq!(
            GenericReply::value(number::CLASSIFIED_AD_GET_COUNT, 7),
            vector("6700 ea01 07000000 00000000 00000000")
        );
    }

    #[test]
    fn a_request_of_nine_bytes_is_too_short() {
        let error = vector("4401 00000000 000000").record::<GenericRequest>().unwrap_err();
        assert_eq!(error.to_string(), "ends too early: 4 bytes wanted at offset 6");
    }

    #[test]
    fn any_number_can_carry_them() {
        for_any(|(number, request, reply): (Number, GenericRequest, GenericReply)| {
            let body = Body::carrying(number, &request);
            assert_eq!((body.number(), body.0.len()), (Some(number), 10));
            assert_eq!(body.record::<GenericRequest>().unwrap(), request);
            let body = Body::carrying(number, &reply);
            assert_eq!((body.number(), body.0.len()), (Some(number), 16));
            assert_eq!(body.record::<GenericReply>().unwrap(), reply);
        });
    }
}
