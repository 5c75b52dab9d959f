//! The words that prompts are made of: short, common English words, chosen so that with its leading space each is
//! one token in the usual byte-pair vocabularies and a prompt of n words has about n tokens.

use std::sync::LazyLock;

/// Number of words; a power of two, so that a draw needs no rejection.
pub(super) const COUNT: usize = 512;

/// The list. Its order is part of every frozen workload: never change it.
static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| TEXT.split(' ').collect());

/// The word with a number; numbers wrap around.
pub(super) fn word(number: u64) -> &'static str {
    WORDS[(number % COUNT as u64) as usize]
}

const TEXT: &str = "time year people way day man thing woman life child world school state family student group \
    country problem hand part place case week company system program question work number night \
    point home water room mother area money story fact month lot right study book eye job word \
    business issue side kind head house service friend father power hour game line end member \
    law car city community name team minute idea kid body back parent face others level office \
    door health person art war history party result change morning reason research girl guy \
    moment air teacher force education foot boy age policy music market sense nation plan \
    college interest course experience effect class control field role effort rate heart show \
    leader light voice wife police mind price report decision son view town road arm difference \
    value building action season society tax director position player record paper space ground \
    form event official matter center couple site project activity star table need court oil \
    situation cost industry figure street image phone data picture practice piece land product \
    doctor wall patient worker news test movie north love support technology step baby computer \
    type attention film tree source hair window evidence culture chance brother energy period \
    summer hundred plant term letter condition choice rule south floor campaign material \
    population call economy hospital church risk fire future bank blood store sound camera \
    glass animal fish bird dog horse snow rain wind stone sea river lake hill forest garden \
    farm bread meat fruit milk tea coffee sugar salt box ball ring key clock chair bed boat \
    train plane bridge island mountain valley desert ocean beach cloud storm winter spring moon \
    sun sky earth iron gold silver metal wood cotton paint color red blue green black white \
    brown gray yellow large small long short high low great good new old young early late easy \
    hard strong weak fast slow hot cold warm cool dry wet clean clear dark deep full empty open \
    close rich poor safe free real true whole single common special public private local \
    foreign social central major main simple quiet happy sad brave calm fair fine nice smart \
    wise make take give find tell ask seem feel try leave put mean keep let begin help talk \
    turn start run move live believe hold bring happen write provide sit stand lose pay meet \
    include continue set learn lead understand watch follow stop create speak read allow add \
    spend grow walk win offer remember consider appear buy wait serve send expect build stay \
    fall cut reach remain suggest raise pass sell require decide pull break pick wear eat drink \
    sleep draw drive fly sing dance play jump laugh cry smile touch carry throw catch push lift \
    wash cook bake fill mix pour join sign count measure check choose travel visit return enter \
    cross climb ride sail swim dig hunt gather guard fight protect save share trade teach after \
    again almost alone along already also always among around away before behind below beside \
    between beyond both during each either enough even ever every few first second third last \
    next now";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_distinct_plain_words() {
        let distinct: std::collections::BTreeSet<&str> = WORDS.iter().copied().collect();
        assert_eq!(distinct.len(), COUNT);
        assert_eq!(WORDS.len(), COUNT);
        assert!(
            WORDS
                .iter()
                .all(|word| word.len() <= 11 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        );
    }
}
