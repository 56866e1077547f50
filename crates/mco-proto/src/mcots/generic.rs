//! The two records that most of MCOTS is made of; which message they are is said by the number they ride behind.

use super::message::Body;
use super::number;
use crate::layout;

layout! {
    /// 10 bytes with the number (*captured*: every "get" request). What the numbers mean depends on the request.
    pub struct GenericRequest {
        /// Usually the id of what is asked for.
        pub data: u32,
        /// 0 if not used.
        pub data2: u32,
    }

    /// 16 bytes with the number (*seen in use*; the 114 bytes once captured were these and zeros).
    pub struct GenericReply {
        /// Number of the request that is answered.
        pub request: u16,
        /// Why, if the request is refused: one of the reason codes in [`number`], or 0.
        pub result: u32,
        /// Depends on the request; usually 0.
        pub data: u32,
        /// Depends on the request; usually 0.
        pub data2: u32,
    }
}

impl GenericRequest {
    /// The body in which `number` asks for `data`.
    pub fn body(number: u16, data: u32) -> Body {
        Body::carrying(number, &Self { data, data2: 0 })
    }
}

impl GenericReply {
    /// 101: `request` is done.
    pub fn success(request: u16) -> Body {
        Body::carrying(number::SUCCESS, &Self { request, result: 0, data: 0, data2: 0 })
    }

    /// 102: `request` is refused, because of `reason` (0: no particular one).
    pub fn failed(request: u16, reason: u16) -> Body {
        Body::carrying(number::FAILED, &Self { request, result: reason.into(), data: 0, data2: 0 })
    }

    /// 103: `request` is done and `value` is the outcome.
    pub fn value(request: u16, value: u32) -> Body {
        Body::carrying(number::GENERIC_REPLY, &Self { request, result: value, data: 0, data2: 0 })
    }
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
        assert_eq!(GenericReply::success(438), vector("6500 b601 00000000 00000000 00000000"));
        assert_eq!(GenericReply::success(109), vector("6500 6d00 00000000 00000000 00000000"));
        assert_eq!(
            GenericReply::failed(number::RACE_JOIN, number::INVALID_RACE_ID),
            vector("6600 da00 e7000000 00000000 00000000")
        );
        assert_eq!(GenericReply::value(490, 7), vector("6700 ea01 07000000 00000000 00000000"));
    }

    #[test]
    fn a_request_of_nine_bytes_is_too_short() {
        let error = vector("4401 00000000 000000").read::<GenericRequest>().unwrap_err();
        assert_eq!(error.to_string(), "ends too early: 4 bytes wanted at offset 6");
    }

    #[test]
    fn any_number_can_carry_them() {
        for_any(|(number, request, reply): (u16, GenericRequest, GenericReply)| {
            let body = Body::carrying(number, &request);
            assert_eq!((body.number(), body.0.len()), (Some(number), 10));
            assert_eq!(body.read::<GenericRequest>().unwrap(), request);
            let body = Body::carrying(number, &reply);
            assert_eq!((body.number(), body.0.len()), (Some(number), 16));
            assert_eq!(body.read::<GenericReply>().unwrap(), reply);
        });
    }
}
